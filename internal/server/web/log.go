package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"
)

// Facts is what a request's line in the log says beyond its outcome. Handlers fill in what
// they learn; nothing personal: no number, no name, no path with either.
type Facts struct {
	ID      string
	Company string
	Error   error  // what went wrong, for operators
	ErrorID string // what the client was told to quote
}

type factsKey struct{}

// FactsOf returns the facts of the request, for handlers to fill in.
func FactsOf(ctx context.Context) *Facts {
	if f, ok := ctx.Value(factsKey{}).(*Facts); ok {
		return f
	}
	return &Facts{}
}

// Log writes one line a request, gives each an id (X-Request-Id), and answers 500 when a
// handler panics.
func Log(log *slog.Logger, newID func() string, now func() time.Time) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			f := &Facts{ID: newID()}
			w.Header().Set("X-Request-Id", f.ID)
			seen := &seen{ResponseWriter: w, deadline: patience(w)}
			seen.deadline()
			began := now()
			r = r.WithContext(context.WithValue(r.Context(), factsKey{}, f))
			defer func() {
				p := recover()
				if p != nil && p != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					f.Error = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
					if seen.status == 0 {
						http.Error(seen, "internal error", http.StatusInternalServerError)
					}
				}
				line(r, log, f, seen, now().Sub(began))
				if p == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(p)
				}
			}()
			next.ServeHTTP(seen, r)
		})
	}
}

func line(r *http.Request, log *slog.Logger, f *Facts, s *seen, took time.Duration) {
	level := slog.LevelInfo
	if s.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !log.Enabled(r.Context(), level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("id", f.ID), slog.String("method", r.Method), slog.String("route", chi.RouteContext(r.Context()).RoutePattern()),
		slog.Int("status", s.status), slog.Int64("bytes", s.bytes), slog.Duration("took", took.Round(time.Microsecond)),
	}
	if f.Company != "" {
		attributes = append(attributes, slog.String("company", f.Company))
	}
	if f.ErrorID != "" {
		attributes = append(attributes, slog.String("error_id", f.ErrorID))
	}
	if f.Error != nil {
		attributes = append(attributes, slog.String("error", f.Error.Error()))
	}
	log.LogAttrs(r.Context(), level, "request", attributes...)
}

// patient is how long a client may take to read what one write of a handler, and the
// buffers behind it, hold.
const patient = time.Minute

// patience returns what gives a client that much time again. A writer that knows no
// deadlines has none.
func patience(w http.ResponseWriter) func() {
	c := http.NewResponseController(w)
	return func() { _ = c.SetWriteDeadline(time.Now().Add(patient)) } // not supported: without
}

// seen notes the status and the size of an answer.
type seen struct {
	http.ResponseWriter
	status   int
	bytes    int64
	deadline func()
}

func (s *seen) WriteHeader(status int) {
	if s.status == 0 && status >= http.StatusOK {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	s.deadline()
	n, err := s.ResponseWriter.Write(b)
	s.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find the writer below.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }
