package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
)

// answer is what a kind of failure becomes.
type answer struct {
	status int
	cause  string
}

// answers is chapter 12: the one place where a kind of failure becomes a status and a
// cause.
var answers = map[fault.Kind]answer{
	fault.Internal:           {http.StatusInternalServerError, "INTERNAL_SERVER_ERROR"},
	fault.Invalid:            {http.StatusBadRequest, "BAD_REQUEST"},
	fault.UnknownField:       {http.StatusBadRequest, "UNRECOGNIZED_FIELD"},
	fault.Unparseable:        {http.StatusBadRequest, "UNPARSEABLE_JSON"},
	fault.MissingNumber:      {http.StatusBadRequest, "MISSING_TRANSACTION_TOKEN"},
	fault.UnsupportedContent: {http.StatusBadRequest, "BAD_REQUEST"},
	fault.BadCredentials:     {http.StatusUnauthorized, "INVALID_LOGIN_TOKEN"},
	fault.Foreign:            {http.StatusUnauthorized, "SECURITY_VIOLATION"},
	fault.Forbidden:          {http.StatusForbidden, "FORBIDDEN"},
	fault.NotFound:           {http.StatusNotFound, "OBJECT_NOT_FOUND"},
	fault.MethodNotAllowed:   {http.StatusMethodNotAllowed, "BAD_REQUEST"},
	fault.Finished:           {http.StatusConflict, "EXISTING_IDENTIFICATION"},
	fault.Precondition:       {http.StatusPreconditionFailed, "PRECONDITION_FAILED"},
	fault.TooLarge:           {http.StatusRequestEntityTooLarge, "BAD_REQUEST"},
	fault.TooMany:            {http.StatusTooManyRequests, "TOO_MANY_REQUESTS"},
	fault.Unavailable:        {http.StatusServiceUnavailable, "INTERNAL_SERVER_ERROR"},
}

// failure is one error as the company reads it; what there is nothing to say about is null.
type failure struct {
	Cause   string  `json:"cause"`
	ID      string  `json:"id"`
	Key     *string `json:"key"`
	Message *string `json:"message"`
}

// handle makes a handler of a function that returns its error. A panic is an internal
// error like any other, unless it is the one that breaks a connection off.
func (g *Gateway) handle(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); p {
			case nil:
			case http.ErrAbortHandler:
				panic(p)
			default:
				g.fail(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		if err := do(w, r); err != nil {
			g.fail(w, r, err)
		}
	}
}

// fail writes an error. All entries share one id, which also stands in the log.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	faults := fault.All(err)
	facts := web.FactsOf(r.Context())
	facts.ErrorID = g.NewError()
	first := answers[faults[0].Kind]
	if first.status >= http.StatusInternalServerError {
		facts.Error = err
	}
	list := make([]failure, len(faults))
	for i, f := range faults {
		list[i] = failure{Cause: answers[f.Kind].cause, ID: facts.ErrorID, Key: orNull(f.Key)}
		if f.Kind != fault.Internal {
			list[i].Message = orNull(f.Message)
		}
	}
	if wait := faults[0].RetryAfter; wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
	}
	writeJSON(w, first.status, struct {
		Errors []failure `json:"errors"`
	}{list})
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// writeJSON writes v without escaping what only HTML would need escaped.
func writeJSON(w http.ResponseWriter, status int, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // only our own types come here
	}
	writeBytes(w, status, bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// writeBytes writes what is JSON already, and returns how many bytes the connection took:
// fewer when the client is gone.
func writeBytes(w http.ResponseWriter, status int, b []byte) int {
	announce(w, status, len(b))
	n, _ := w.Write(b) // the count tells
	return n
}

// announce writes the head of an answer of JSON.
func announce(w http.ResponseWriter, status, length int) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(status)
}
