package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// crowd is many identifications at a time.
type crowd struct {
	mu      sync.Mutex
	started map[string]string // number to Ident-ID, of creations that were acknowledged
	refused []string          // those that were not, because the server died
	robots  []string
}

// flood creates N identifications at the same moment, kills the server when K of them are
// acknowledged, and waits until nobody waits for an answer any more: flood N K [PREFIX].
func (w *world) flood(args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	enough, err := number(args[1])
	if err != nil {
		return err
	}
	prefix := "flood"
	if len(args) > 2 {
		prefix = args[2]
	}
	main, err := w.node(nil)
	if err != nil {
		return err
	}
	if w.crowd.started == nil {
		w.crowd.started = map[string]string{}
	}
	company, token := w.account()
	url := w.ts.Getenv("HOST") + "/api/v1/" + company + "/identifications/"
	var all sync.WaitGroup
	var die sync.Once
	acknowledged := 0
	for i := range n {
		all.Go(func() {
			tn := fmt.Sprintf("%s-%03d", prefix, i)
			a, err := w.ask(http.MethodPost, url+tn+"/start", jsonHeader(token), []byte(`{"custom1":"one `+tn+`","custom2":"two `+tn+`","email":"`+tn+`@example.com"}`))
			id, ok := find(a.body, "id")
			w.crowd.mu.Lock()
			if err == nil && a.status == http.StatusCreated && ok {
				w.crowd.started[tn] = text(id)
				acknowledged++
			} else {
				w.crowd.refused = append(w.crowd.refused, tn)
			}
			now := acknowledged
			w.crowd.mu.Unlock()
			if now >= enough {
				die.Do(main.kill)
			}
		})
	}
	all.Wait()
	die.Do(main.kill)
	w.client.CloseIdleConnections()
	w.ts.Logf("%d of %d were acknowledged", acknowledged, n)
	return nil
}

// flooded says that every acknowledged creation is there with its Ident-ID and its data, and
// that of the others each is there whole or not at all.
func (w *world) flooded([]string) error {
	company, token := w.account()
	base := w.ts.Getenv("HOST") + "/api/v1/" + company + "/identifications"
	listed, err := w.listed(base+"?pending=true&limit=1000", token)
	if err != nil {
		return err
	}
	check := func(tn, id string, must bool) error {
		a, err := w.ask(http.MethodGet, base+"/"+tn+"/status", jsonHeader(token), nil)
		if err != nil {
			return err
		}
		if a.status == http.StatusNotFound && !must {
			if _, there := listed[tn]; there {
				return fmt.Errorf("%s is in the list, but not there", tn)
			}
			return nil
		}
		got, _ := find(a.body, "id")
		state, _ := find(a.body, "state")
		entry := listed[tn]
		if a.status != http.StatusOK || must && got != id || state != "CREATED" || entry.Custom.Custom1 != "one "+tn || entry.Custom.Custom2 != "two "+tn || entry.Contact.Email != tn+"@example.com" {
			return fmt.Errorf("%s, acknowledged as %q, is %d %s, in the list as %+v", tn, id, a.status, a.body, entry)
		}
		return nil
	}
	for tn, id := range w.crowd.started {
		if err := check(tn, id, true); err != nil {
			return err
		}
	}
	for _, tn := range w.crowd.refused {
		if err := check(tn, "", false); err != nil {
			return err
		}
	}
	return nil
}

// entry is what flooded reads of a list.
type entry struct {
	Process struct {
		Number string `json:"transactionnumber"`
	} `json:"identificationprocess"`
	Custom struct {
		Custom1 string `json:"custom1"`
		Custom2 string `json:"custom2"`
	} `json:"customdata"`
	Contact struct {
		Email string `json:"email"`
	} `json:"contactdata"`
}

// listed reads all pages of a list.
func (w *world) listed(url, token string) (map[string]entry, error) {
	all := map[string]entry{}
	for url != "" {
		a, err := w.ask(http.MethodGet, url, jsonHeader(token), nil)
		if err != nil {
			return nil, err
		}
		var page struct{ Identifications []entry }
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
			return nil, fmt.Errorf("list: %d %.300s", a.status, a.body)
		}
		for _, e := range page.Identifications {
			if _, twice := all[e.Process.Number]; twice {
				return nil, fmt.Errorf("%s is listed twice", e.Process.Number)
			}
			all[e.Process.Number] = e
		}
		link := a.header.Get("Link")
		url = ""
		if target, rest, ok := strings.Cut(strings.TrimPrefix(link, "<"), ">"); ok && strings.Contains(rest, `rel="next"`) {
			url = target
			if strings.HasPrefix(url, "/") {
				url = w.ts.Getenv("HOST") + url
			}
		}
	}
	return all, nil
}

// robots starts N happy scenarios: robots N [PREFIX].
func (w *world) robots(args []string) error {
	n, err := number(args[0])
	if err != nil {
		return err
	}
	prefix := "robot"
	if len(args) > 1 {
		prefix = args[1]
	}
	company, token := w.account()
	base := w.ts.Getenv("HOST") + "/api/v1/" + company + "/identifications/"
	faults := make(chan error, n)
	slots := make(chan struct{}, 10)
	for i := range n {
		tn := fmt.Sprintf("%s-%03d", prefix, i)
		w.crowd.robots = append(w.crowd.robots, tn)
		go func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			a, err := w.ask(http.MethodPost, base+tn+"/start", jsonHeader(token), []byte(`{"custom5":"X-AUTOTEST-HAPPYPATH"}`))
			if err == nil && a.status == http.StatusCreated {
				a, err = w.ask(http.MethodPost, base+tn+"/requestVideoChat", jsonHeader(token), []byte(`{}`))
			}
			if err == nil && a.status != http.StatusOK {
				err = fmt.Errorf("%s: %d %s", tn, a.status, a.body)
			}
			faults <- err
		}()
	}
	var all []error
	for range n {
		all = append(all, <-faults)
	}
	return errors.Join(all...)
}

// finished waits until every robot has brought its identification to the end, at the first
// attempt, with a result that can be fetched: finished DURATION.
func (w *world) finished(args []string) error {
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	begun := time.Now()
	company, token := w.account()
	for _, tn := range w.crowd.robots {
		if err := w.await([]string{tn, "SUCCESS,SUCCESS_DATA_CHANGED", max(time.Second, limit-time.Since(begun)).String()}); err != nil {
			return fmt.Errorf("%s: %w", tn, err)
		}
		if n, _ := w.find("attempts"); text(n) != "1" {
			return fmt.Errorf("%s took more than one attempt: %s", tn, w.shown())
		}
		a, err := w.ask(http.MethodGet, w.ts.Getenv("HOST")+"/api/v1/"+company+"/identifications/"+tn+".zip", jsonHeader(token), nil)
		if err != nil || a.status != http.StatusOK || len(a.body) < 100_000 {
			return fmt.Errorf("%s.zip: %d, %d bytes: %w", tn, a.status, len(a.body), err)
		}
	}
	w.ts.Logf("all were at their end after %v", time.Since(begun).Round(time.Millisecond))
	return nil
}

// handed says that a sink has got both webhooks of every robot, in order, each at least once
// and always with the same id and body: handed SINK.
func (w *world) handed(args []string) error {
	for _, tn := range w.crowd.robots {
		list, err := w.recorded(args[0], tn)
		if err != nil {
			return err
		}
		var results []string
		ids, bodies := map[string]string{}, map[string]string{}
		for _, c := range list {
			if len(results) == 0 || results[len(results)-1] != c.result {
				results = append(results, c.result)
			}
			id := c.header.Get("webhook-id")
			if before, ok := ids[c.result]; ok && (before != id || bodies[c.result] != string(c.body)) {
				return fmt.Errorf("%s: the webhook of %s came with two ids or bodies", tn, c.result)
			}
			ids[c.result], bodies[c.result] = id, string(c.body)
		}
		if got := strings.Join(results, " "); got != "REVIEW_PENDING SUCCESS" {
			return fmt.Errorf("%s: the webhooks were %q", tn, got)
		}
	}
	return nil
}
