package web_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"vidimus/internal/server/web"
)

// serve makes one request to a handler under Log, and returns the answer and the log.
func serve(t *testing.T, path string, h http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	r := chi.NewRouter()
	r.Use(web.Log(slog.New(slog.NewTextHandler(&log, nil)), func() string { return "7" }, time.Now))
	r.Get("/things/{name}", h)
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w, log.String()
}

func TestEachRequestLeavesOneLineWithoutItsPath(t *testing.T) {
	w, log := serve(t, "/things/secret?also=secret", func(w http.ResponseWriter, r *http.Request) {
		f := web.FactsOf(r.Context())
		f.Company, f.ErrorID = "ihrebank", "42"
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "hello")
	})
	if got := w.Header().Get("X-Request-Id"); got != "7" {
		t.Errorf("X-Request-Id is %q", got)
	}
	for _, want := range []string{"id=7", "route=/things/{name}", "status=418", "bytes=5", "company=ihrebank", "error_id=42", "level=INFO"} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is missing in %s", want, log)
		}
	}
	if strings.Contains(log, "secret") || strings.Count(log, "\n") != 1 {
		t.Errorf("%s", log)
	}
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	w, log := serve(t, "/things/1", func(http.ResponseWriter, *http.Request) { panic("out of paper") })
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "paper") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "out of paper") {
		t.Errorf("%s", log)
	}
}

func TestAHandlerThatAbortsBreaksTheConnectionOff(t *testing.T) {
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			t.Errorf("the panic was %v", p)
		}
	}()
	serve(t, "/things/1", func(_ http.ResponseWriter, r *http.Request) {
		web.FactsOf(r.Context()).Error = errors.New("half a file")
		panic(http.ErrAbortHandler)
	})
	t.Error("nothing was broken off")
}

func TestFactsWithoutALogAreThrownAway(t *testing.T) {
	web.FactsOf(t.Context()).Company = "ihrebank"
	if got := web.FactsOf(t.Context()).Company; got != "" {
		t.Errorf("%q was kept", got)
	}
}
