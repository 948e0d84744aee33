package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// company and key are the account that the short commands below work with.
func (w *world) account() (company, token string) {
	return w.ts.Getenv("COMPANY"), w.ts.Getenv("TOKEN")
}

func jsonHeader(token string) http.Header {
	return http.Header{"Content-Type": {"application/json"}, "X-Api-Login-Token": {token}}
}

// use logs in, and has the short commands work with that company: use COMPANY KEY.
func (w *world) use(args []string) error {
	err := w.send(http.MethodPost, w.ts.Getenv("HOST")+"/api/v1/"+args[0]+"/login", http.Header{"Content-Type": {"application/json"}},
		[]byte(`{"apiKey":"`+args[1]+`"}`))
	if err != nil {
		return err
	}
	token, ok := w.find("authToken")
	if !ok {
		return fmt.Errorf("logging in: %s", w.shown())
	}
	w.ts.Setenv("COMPANY", args[0])
	w.ts.Setenv("KEY", args[1])
	w.ts.Setenv("TOKEN", text(token))
	return nil
}

// create sends data of an identification: create NUMBER JSON. Its Ident-ID is in $ID.
func (w *world) create(args []string) error {
	company, token := w.account()
	if err := w.send(http.MethodPost, w.ts.Getenv("HOST")+"/api/v1/"+company+"/identifications/"+args[0]+"/start", jsonHeader(token), []byte(args[1])); err != nil {
		return err
	}
	if id, ok := w.find("id"); ok {
		w.ts.Setenv("ID", text(id))
	}
	return nil
}

// robot has the robots begin: robot NUMBER.
func (w *world) robot(args []string) error {
	company, _ := w.account()
	err := w.send(http.MethodPost, w.ts.Getenv("HOST")+"/api/v1/"+company+"/identifications/"+args[0]+"/requestVideoChat",
		http.Header{"Content-Type": {"application/json"}}, []byte("{}"))
	return err
}

// scenario creates an identification with JSON and lets the robots begin: scenario NUMBER JSON.
func (w *world) scenario(args []string) error {
	if err := w.create(args); err != nil {
		return err
	}
	if w.answer.status != http.StatusCreated && w.answer.status != http.StatusOK {
		return fmt.Errorf("creating: %s", w.shown())
	}
	if err := w.robot(args[:1]); err != nil {
		return err
	}
	if w.answer.status != http.StatusOK || string(w.answer.body) != "{}" {
		return fmt.Errorf("requestVideoChat: %s", w.shown())
	}
	return nil
}

// get asks for an identification's JSON: get NUMBER[/status]; get . is the list,
// get ?pending=true and the like the other lists.
func (w *world) get(args []string) error {
	company, token := w.account()
	path := "/" + args[0]
	if strings.HasPrefix(args[0], "?") || args[0] == "." {
		path = strings.TrimPrefix(args[0], ".")
	}
	return w.send(http.MethodGet, w.ts.Getenv("HOST")+"/api/v1/"+company+"/identifications"+path, http.Header{"X-Api-Login-Token": {token}}, nil)
}

// zip downloads a result: zip NUMBER FILE.
func (w *world) zip(args []string) error {
	company, token := w.account()
	return w.http([]string{"-t", token, "-o", args[1], "GET", "/api/v1/" + company + "/identifications/" + args[0] + ".zip"})
}

// await waits until an identification is in one of the states: await NUMBER STATE[,STATE]
// [DURATION].
func (w *world) await(args []string) error {
	limit := 60 * time.Second
	if len(args) > 2 {
		var err error
		if limit, err = time.ParseDuration(args[2]); err != nil {
			return err
		}
	}
	var seen []string
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		if err := w.get([]string{args[0] + "/status"}); err != nil {
			return err
		}
		if key := w.ts.Getenv("KEY"); w.answer.status == http.StatusUnauthorized {
			// Where time runs fast, a log-in does not last.
			if err := w.use([]string{w.ts.Getenv("COMPANY"), key}); err != nil {
				return err
			}
			continue
		}
		state, ok := w.find("state")
		if !ok {
			return errors.New(w.shown())
		}
		if s := text(state); len(seen) == 0 || seen[len(seen)-1] != s {
			seen = append(seen, s)
		}
		if slices.Contains(strings.Split(args[1], ","), text(state)) {
			return nil
		}
	}
	return fmt.Errorf("within %v the states were %v, never %s", limit, seen, args[1])
}
