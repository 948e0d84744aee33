// Left out of fuzzing, which would compile the validator of the contract anew.
//go:build !fuzz

package gateway_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	verrors "github.com/pb33f/libopenapi-validator/errors"

	"vidimus/docs"
)

// contract is the validator of docs/openapi.yaml. Making it takes a while. It takes a part of
// a path for a parameter as a whole only, so that it cannot tell {transactionnumber}.zip from
// {transactionnumber}: for it, the first is a path with one more part, see validated.
var contract = sync.OnceValues(func() (validator.Validator, error) {
	document, err := libopenapi.NewDocument(bytes.ReplaceAll(docs.OpenAPI, []byte("{transactionnumber}.zip:"), []byte("{transactionnumber}/zip:")))
	if err != nil {
		return nil, err
	}
	v, errs := validator.NewValidator(document, config.WithFormatAssertions())
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return v, nil
})

func TestTheContractIsValidOpenAPI(t *testing.T) {
	v, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	if ok, errs := v.ValidateDocument(); !ok {
		t.Error(describe(errs))
	}
}

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

// validated is the path of a request as the validator reads it.
func validated(path string) string {
	if number, ok := strings.CutSuffix(path, ".zip"); ok && strings.Contains(path, "/identifications/") {
		return number + "/zip"
	}
	if strings.HasPrefix(path, "/api/") && !strings.HasSuffix(path, "/identifications/") {
		return strings.TrimSuffix(path, "/") // a slash at the end makes no difference
	}
	return path
}

// checkContract validates the answer, and the request too unless it was refused for its
// form: then it was wrong on purpose.
func (p *platform) checkContract(r *http.Request, sent []byte, a answer) {
	p.t.Helper()
	v, err := contract()
	if err != nil {
		p.t.Fatal(err)
	}
	if r.Method == http.MethodOptions || a.StatusCode == http.StatusMethodNotAllowed {
		return // preflights, and methods that the contract does not have
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(sent))
	again.URL = &url.URL{Path: validated(r.URL.Path), RawPath: validated(r.URL.RawPath), RawQuery: r.URL.RawQuery}
	if r.Method == http.MethodHead {
		again.Method = http.MethodGet
	}
	answered := *a.Response
	answered.Body = io.NopCloser(bytes.NewReader(a.body))
	if r.Method != http.MethodHead {
		ok, errs := v.ValidateHttpResponse(again, &answered)
		if unknownPath(errs) && (a.StatusCode == http.StatusNotFound || a.StatusCode == http.StatusBadRequest) {
			return // paths that nobody has
		}
		if !ok {
			p.t.Errorf("%s %s -> %d breaks the contract: %s\n%s", r.Method, r.URL.Path, a.StatusCode, describe(errs), a.body)
		}
	}
	switch a.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusNotFound:
		return
	}
	again.Body = io.NopCloser(bytes.NewReader(sent))
	if ok, errs := v.ValidateHttpRequestSync(again); !ok {
		p.t.Errorf("%s %s %s was accepted, but the contract refuses it: %s", r.Method, r.URL.Path, sent, describe(errs))
	}
}

func unknownPath(errs []*verrors.ValidationError) bool {
	for _, e := range errs {
		if e.IsPathMissingError() || e.IsOperationMissingError() {
			return true
		}
	}
	return false
}

func describe(errs []*verrors.ValidationError) string {
	var b strings.Builder
	for _, e := range errs {
		b.WriteString("\n  " + e.Message + ": " + e.Reason)
		for _, s := range e.SchemaValidationErrors {
			b.WriteString("\n    " + s.FieldPath + ": " + s.Reason)
		}
	}
	return b.String()
}
