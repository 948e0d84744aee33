// Package pages is what people see in a browser: hosted pages under /<companyid>/, rendered
// here, that work without script: the secure download form and the file upload page.
// Specification, chapters 7.2.5 and 11.
package pages

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/signing"
)

// Options are the parts that pages are made of.
type Options struct {
	Login    *login.Service
	Publish  *publish.Service
	Signing  *signing.Service
	Clock    clock.Clock
	NewID    func() string // of requests
	NewError func() string // of errors: a decimal number
	Log      *slog.Logger
	Proxies  web.Proxies
	Limits   web.Limits
	Live     bool
}

// Pages is the handler of all pages.
type Pages struct {
	Options
}

// New returns the handler of every path that the gateway does not own.
func New(o Options) http.Handler {
	p := &Pages{Options: o}
	r := chi.NewRouter()
	r.Use(web.Log(o.Log, o.NewID, o.Clock.Now), p.outer, web.HeadLikeGet)
	r.Get(sheetPath, sheet)
	r.Get("/{company}/download/{token}", p.handle(p.downloadForm))
	r.Post("/{company}/download/{token}", p.handle(p.download))
	r.Get(scriptPath, script)
	r.Get("/{company}/upload/{token}", p.handle(p.uploadForm))
	r.Post("/{company}/upload/{token}", p.handle(p.upload))
	r.NotFound(p.handle(func(http.ResponseWriter, *http.Request) error { return fault.Of(fault.NotFound) }))
	r.MethodNotAllowed(p.handle(func(w http.ResponseWriter, q *http.Request) error {
		w.Header().Set("Allow", web.Allowed(r, q))
		return fault.Of(fault.MethodNotAllowed)
	}))
	return r
}

// Owns says whether a path, decoded, is one of a page, be there such a page or not.
func Owns(path string) bool {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	return path == sheetPath || path == scriptPath || len(parts) == 3 && (parts[1] == "download" || parts[1] == "upload")
}

// outer does what comes before any page: in live nothing goes over plain HTTP, and no page is
// kept, guessed at, indexed, or named to another site: addresses hold what opens a result.
func (p *Pages) outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Robots-Tag", "noindex")
		if p.Live {
			if !p.Proxies.Secure(r) {
				http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusPermanentRedirect) //nolint:gosec // the host that was asked for, as the proxy or the client names it
				return
			}
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// handle makes a handler of a function that returns its error, which becomes a page. A panic
// is an internal error like any other, unless it is the one that breaks a connection off.
func (p *Pages) handle(do func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				p.fail(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		if err := do(w, r); err != nil {
			p.fail(w, r, err)
		}
	}
}

// fail answers with the page of an error. It looks the same for every company, those that
// are not there among them, so that it tells nothing about any.
func (p *Pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	first := fault.All(err)[0]
	facts := web.FactsOf(r.Context())
	l := wordsFor(r, nil)
	status, say := http.StatusInternalServerError, l.Internal
	switch first.Kind {
	case fault.NotFound:
		status, say = http.StatusNotFound, l.NotFound
	case fault.MethodNotAllowed:
		status, say = http.StatusMethodNotAllowed, l.WrongMethod
	case fault.TooLarge:
		status, say = http.StatusRequestEntityTooLarge, l.TooLarge
	case fault.TooMany:
		status, say = http.StatusTooManyRequests, l.TooMany
		w.Header().Set("Retry-After", strconv.Itoa(int(first.RetryAfter.Seconds())+1))
	default:
		facts.ErrorID, facts.Error = p.NewError(), err
	}
	p.render(w, status, view{Words: l, Title: say.Title, Template: "error", Text: say.Text, ErrorID: facts.ErrorID})
}

// failed counts a failure of the client; its error is err, or that there were too many.
func (p *Pages) failed(l *web.Limiter, r *http.Request, err error) error {
	if wait := l.Failed(p.Proxies.Client(r)); wait > 0 {
		return tooMany(wait)
	}
	return err
}

func tooMany(wait time.Duration) error {
	many := fault.Of(fault.TooMany)
	many.RetryAfter = wait
	return many
}

// pathValue returns a part of the path, decoded.
func pathValue(r *http.Request, name string) string {
	v := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return v
	}
	if decoded, err := url.PathUnescape(v); err == nil {
		return decoded
	}
	return v
}

func companyOf(r *http.Request) company.ID { return company.ID(pathValue(r, "company")) }
