package gateway

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
	"vidimus/internal/server/web"
)

// started is the answer to a start (3.2.10).
type started struct {
	ID ident.ID `json:"id"`
}

// start creates or updates an identification (3.2). In the test environment the third
// step of 15.2.4, an empty object for one that robots will carry out, needs no credentials.
func (g *Gateway) start(w http.ResponseWriter, r *http.Request) error {
	a, refused := g.checkKey(r)
	if refused != nil && (g.Robots == nil || !fault.Is(refused, fault.BadCredentials)) {
		return g.refused(r, refused)
	}
	sent, err := web.ReadObject(w, r)
	if refused != nil {
		if err != nil || len(sent) > 0 {
			return g.refused(r, refused)
		}
		i, err := g.ofRobots(r, refused)
		if err != nil {
			return err
		}
		writeJSON(w, http.StatusOK, started{ID: i.ID})
		return nil
	}
	if err != nil {
		return err
	}
	web.FactsOf(r.Context()).Company = string(a.ID)
	if _, err := ident.ParseTransactionNumber(numberOf(r)); err != nil {
		return err
	}
	application, err := readApplication(a.Company, sent, g.Clock.Now())
	if err != nil {
		return err
	}
	s, err := g.Identify.Start(r.Context(), a, numberOf(r), application)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if s.Created {
		status = http.StatusCreated
	}
	writeJSON(w, status, started{ID: s.ID})
	return nil
}

// ofRobots returns the identification of the path if it is one that robots carry out;
// else the client learns nothing but that it was refused.
func (g *Gateway) ofRobots(r *http.Request, refused error) (ident.Identification, error) {
	if g.Robots == nil {
		return ident.Identification{}, refused
	}
	i, err := g.Identify.Find(r.Context(), companyOf(r), numberOf(r))
	if err != nil {
		if len(fault.All(err)) > 0 && fault.All(err)[0].Kind == fault.Internal {
			return i, err
		}
		return i, g.refused(r, refused)
	}
	ok, err := g.Robots.Plays(r.Context(), i)
	if err == nil && !ok {
		err = g.refused(r, refused)
	}
	return i, err
}

// requestVideoChat has the robots begin (15.2). Printed without credentials, it is served
// without; whoever sends some has the answer of one who may know.
func (g *Gateway) requestVideoChat(w http.ResponseWriter, r *http.Request) error {
	if g.Robots == nil {
		if _, err := g.byKey(r); err != nil {
			return err
		}
		return fault.New(fault.Precondition, "there are no robots in the live environment")
	}
	i, err := g.toRobots(r)
	if err != nil {
		return err
	}
	sent, err := web.ReadObject(w, r)
	if err != nil {
		return err
	}
	var wrong fault.List
	for _, m := range sent {
		wrong = append(wrong, fault.Of(fault.UnknownField).In(m.Key))
	}
	if err := wrong.Err(); err != nil {
		return err
	}
	if err := g.Robots.Request(r.Context(), i); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

func (g *Gateway) toRobots(r *http.Request) (ident.Identification, error) {
	a, err := g.checkKey(r)
	if fault.Is(err, fault.BadCredentials) {
		return g.ofRobots(r, err)
	}
	if err != nil {
		return ident.Identification{}, err
	}
	return g.Identify.Find(r.Context(), a.ID, numberOf(r))
}

// readApplication takes the fields of a start; every wrong one is a fault of its own.
func readApplication(c company.Company, sent []web.Member, today time.Time) (person.Application, error) {
	var a person.Application
	var wrong fault.List
	for _, m := range sent {
		if m.Key == "questions" {
			wrong = append(wrong, readQuestions(c, &a, m.Value)...)
			continue
		}
		v, ok := web.Scalar(m.Value)
		text, isText := v.(string)
		if !ok || v != nil && !isText {
			text = "\x00" // no field takes it; an unknown field is unknown all the same
		}
		if err := a.Set(m.Key, text, today); err != nil {
			wrong = append(wrong, fault.All(err)...)
		}
	}
	return a, wrong.Err()
}

func readQuestions(c company.Company, a *person.Application, value json.RawMessage) fault.List {
	if strings.TrimSpace(string(value)) == "null" {
		return nil
	}
	all, err := web.ParseObject(value)
	if err != nil {
		return fault.List{fault.Value("questions")}
	}
	var wrong fault.List
	for _, m := range all {
		q, known := c.Question(m.Key)
		if !known {
			wrong = append(wrong, fault.Of(fault.UnknownField).In(m.Key))
			continue
		}
		v, err := readAnswer(q, m.Value)
		if err != nil {
			wrong = append(wrong, fault.All(err)...)
			continue
		}
		if !v.IsZero() {
			if a.Questions == nil {
				a.Questions = map[string]question.Value{}
			}
			a.Questions[q.Key] = v
		}
	}
	return wrong
}

// readAnswer reads {"value": …} (3.2.9). Whatever is wrong with it is one fault, under the
// question's own key.
func readAnswer(q question.Definition, object json.RawMessage) (question.Value, error) {
	members, err := web.ParseObject(object)
	if err != nil {
		return question.Value{}, fault.Value(q.Key)
	}
	var v question.Value
	for _, m := range members {
		if m.Key != "value" {
			return v, fault.Of(fault.UnknownField).In(q.Key)
		}
		raw, ok := web.Scalar(m.Value)
		if !ok {
			return v, fault.Value(q.Key)
		}
		if raw == nil || raw == "" {
			continue
		}
		if v, err = q.Parse(raw); err != nil {
			return v, err
		}
	}
	return v, nil
}
