// Left out of fuzzing, which needs no contract.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"vidimus/docs"
)

var contractPath = regexp.MustCompile(`(?m)^  (/\S*):$`)

func TestThePageNamesEveryPathOfTheContract(t *testing.T) {
	paths := contractPath.FindAllStringSubmatch(string(docs.OpenAPI), -1)
	if len(paths) < 10 {
		t.Fatalf("only %d paths were found in the contract", len(paths))
	}
	for _, p := range paths {
		if !strings.Contains(string(docs.Page), p[1]) {
			t.Errorf("the page does not name %s", p[1])
		}
	}
}

func TestThePageNeedsNothingBesidesItself(t *testing.T) {
	for _, bad := range []string{"<script", "<link", "<iframe", "<form", " onclick=", "@import", "url(http", "src=\"http", "src=\"/"} {
		if strings.Contains(string(docs.Page), bad) {
			t.Errorf("the page holds %q, which its Content-Security-Policy refuses", bad)
		}
	}
}

func TestTheContractAndThePageSpeakOfTheProductOnly(t *testing.T) {
	files := regexp.MustCompile(`idnow_signing_(test_)?\d+\.pem`)
	for name, text := range map[string][]byte{"openapi.yaml": docs.OpenAPI, "api.html": docs.Page} {
		if strings.Contains(strings.ToLower(files.ReplaceAllString(string(text), "")), "id"+"now") {
			t.Errorf("%s names another product", name)
		}
	}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) decode(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// cause returns the cause of the first error, empty when there is none.
func (a answer) cause() string {
	var v struct{ Errors []struct{ Cause string } }
	if json.Unmarshal(a.body, &v) != nil || len(v.Errors) == 0 {
		return ""
	}
	return v.Errors[0].Cause
}

// request makes a request; one with a body is JSON unless header says otherwise.
func (p *platform) request(method, path, body string, header http.Header) *http.Request {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.server.URL+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if body == "" {
		r.Body, r.GetBody = http.NoBody, nil
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		if len(values) == 0 {
			r.Header.Del(name)
			continue
		}
		r.Header[name] = values
	}
	return r
}

var plainClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send makes the exchange and checks what is true of each: it keeps the contract, other
// origins may read it, and an error has its four keys and an id that stands in the log.
func (p *platform) send(r *http.Request) answer {
	p.t.Helper()
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			p.t.Fatal(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	a := answer{response, body}
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		p.t.Errorf("%s %s: Access-Control-Allow-Origin is %q", r.Method, r.URL.Path, got)
	}
	if response.StatusCode >= http.StatusBadRequest && r.Method != http.MethodHead && r.URL.Path != "/system_check" {
		p.checkError(r, a)
	}
	p.checkContract(r, sent, a)
	return a
}

var errorID = regexp.MustCompile(`^[1-9][0-9]*$`)

func (p *platform) checkError(r *http.Request, a answer) {
	p.t.Helper()
	where := r.Method + " " + r.URL.Path
	if got := a.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		p.t.Errorf("%s: the error's Content-Type is %q", where, got)
	}
	var v struct {
		Errors []map[string]*string `json:"errors"`
	}
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil || len(v.Errors) == 0 {
		p.t.Errorf("%s: %d is no error body: %v: %s", where, a.StatusCode, err, a.body)
		return
	}
	for _, e := range v.Errors {
		if len(e) != 4 || e["cause"] == nil || e["id"] == nil {
			p.t.Errorf("%s: an error without its four keys: %s", where, a.body)
			return
		}
		for _, key := range []string{"key", "message"} {
			if text, ok := e[key]; !ok || text != nil && *text == "" {
				p.t.Errorf("%s: %s is missing or empty: %s", where, key, a.body)
			}
		}
		if !errorID.MatchString(*e["id"]) {
			p.t.Errorf("%s: the error's id is %q", where, *e["id"])
		}
		if !strings.Contains(p.log.String(), "error_id="+*e["id"]) {
			p.t.Errorf("%s: the error's id %s does not stand in the log", where, *e["id"])
		}
	}
}

// plain is the path of a request as the contract has it: a slash at the end makes no
// difference.
func plain(path string) string {
	if strings.HasPrefix(path, "/api/") && !strings.HasSuffix(path, "/identifications/") {
		return strings.TrimSuffix(path, "/")
	}
	if path == "/assets/certs" {
		return path + "/"
	}
	return path
}

// checkContract holds the answer against the contract, and the request too unless it was
// refused for its form: then it was wrong on purpose.
func (p *platform) checkContract(r *http.Request, sent []byte, a answer) {
	p.t.Helper()
	c, err := contract()
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Method == http.MethodOptions || a.StatusCode == http.StatusMethodNotAllowed {
		return // preflights, and methods that the contract does not have
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, item, values, ok := c.operation(method, plain(r.URL.EscapedPath()))
	if !ok {
		if a.StatusCode != http.StatusNotFound && a.StatusCode != http.StatusBadRequest { // paths that nobody has
			p.t.Errorf("%s %s -> %d is not in the contract", r.Method, r.URL.Path, a.StatusCode)
		}
		return
	}
	if r.Method != http.MethodHead {
		if err := c.checkAnswer(op, a.Response, a.body); err != nil {
			p.t.Errorf("%s %s -> %d breaks the contract: %v\n%s", r.Method, r.URL.Path, a.StatusCode, err, a.body)
		}
	}
	switch a.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusNotFound:
		return
	}
	if err := c.checkRequest(op, item, values, r, sent); err != nil {
		p.t.Errorf("%s %s %s was accepted, but the contract refuses it: %v", r.Method, r.URL.Path, sent, err)
	}
}
