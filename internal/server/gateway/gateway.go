// Package gateway is the REST API of companies: create, retrieve, archive, copy and delete
// identifications, the waiting time, the test robots, the system check. Specification,
// chapters 3, 6.4, 7, 8, 12, 15 and 16. A handler parses, calls one service, and writes; the
// errors of all of them become answers in one place, errors.go.
package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/proof"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
	"vidimus/internal/service/identify"
	"vidimus/internal/service/login"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/robot"
	"vidimus/internal/service/signing"
)

// Waiting tells how long users have to wait.
type Waiting interface {
	Waiting(ctx context.Context, c company.ID) (time.Duration, int, error)
}

// Identifications is the life of identifications from the company's side.
type Identifications interface {
	Find(ctx context.Context, c company.ID, ref string) (ident.Identification, error)
	Start(ctx context.Context, a *account.Account, ref string, sent person.Application) (identify.Started, error)
	Archive(ctx context.Context, a *account.Account, ref string) error
	Copy(ctx context.Context, a *account.Account, ref string, target company.ID, number string) (ident.ID, error)
	Delete(ctx context.Context, c company.ID, ref, by string) error
}

// Trail is the audit trail.
type Trail interface {
	// SigningKey returns the public key of its checkpoints as PEM.
	SigningKey(ctx context.Context) (string, error)
}

// Check is a part that the system check looks at.
type Check struct {
	Name string
	Ping func(ctx context.Context) error
}

// Options are the parts a gateway is made of.
type Options struct {
	Login    *login.Service
	Accounts *account.Directory
	Identify Identifications
	Signing  *signing.Service
	Publish  *publish.Service
	Trail    Trail
	// Verify judges the signatures of a PDF; a fault says why there is nothing to judge.
	Verify func(ctx context.Context, pdf []byte) (proof.Report, error)
	// Published returns what the page of certificates offers beside our own keys; nil: nothing.
	Published func(ctx context.Context) ([]Published, error)
	Trust     Trust // nil: there is none
	Waiting   Waiting
	Robots    *robot.Service // nil in the live environment
	Checks    []Check
	Clock     clock.Clock
	NewID     func() string // of requests
	NewError  func() string // of errors: a decimal number
	Log       *slog.Logger
	Proxies   web.Proxies
	Limits    web.Limits
	Live      bool
	Contract  []byte // openapi.yaml
	Docs      []byte // the readable page of it
}

// Gateway is the API.
type Gateway struct {
	Options
	check   systemCheck
	sending chan struct{} // held while a document is received, waits and is judged
	judging chan struct{} // held while a document is judged
}

// New returns the handler of the API and of the pages that belong to it.
func New(o Options) http.Handler {
	g := &Gateway{Options: o, sending: make(chan struct{}, sendingMost), judging: make(chan struct{}, judgingMost)}
	r := chi.NewRouter()
	r.Use(web.Log(o.Log, o.NewID, o.Clock.Now), g.outer, web.HeadLikeGet)
	r.Get("/system_check", g.systemCheck)
	r.Get("/openapi.yaml", static("application/yaml; charset=utf-8", o.Contract))
	r.Get("/docs", static("text/html; charset=utf-8", o.Docs))
	r.Get("/assets/certs/", g.certificates)
	r.Get("/assets/certs", g.certificates)
	r.Get("/assets/certs/{file}", g.certificate)
	if g.Trust != nil {
		g.trustRoutes(r)
	}
	g.routes(r)
	r.NotFound(g.handle(func(http.ResponseWriter, *http.Request) error { return fault.Of(fault.NotFound) }))
	r.MethodNotAllowed(g.handle(func(w http.ResponseWriter, q *http.Request) error {
		w.Header().Set("Allow", web.Allowed(r, q)+", "+http.MethodOptions) // outer answers that everywhere
		return fault.Of(fault.MethodNotAllowed)
	}))
	return r
}

// Owns says whether a path belongs to the gateway; all others are pages'.
func Owns(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "api", "system_check", "openapi.yaml", "docs":
		return true
	}
	return path == "*" || path == "/assets/certs" || strings.HasPrefix(path, "/assets/certs/")
}

// The paths of a company and of one of its identifications.
const (
	ofCompany = "/api/v1/{company}"
	ofOne     = ofCompany + "/identifications/{transactionnumber}"
)

// The paths of document definitions and of the documents of an identification; the second
// form of those is printed in 7.2.4.2 and 7.2.6.2.
const (
	ofDefinitions = ofCompany + "/documentdefinitions"
	ofDefinition  = ofDefinitions + "/{document}"
)

var ofDocuments = []string{ofOne + "/documents", ofCompany + "/{transactionnumber}/documents"}

func (g *Gateway) routes(r chi.Router) {
	for _, end := range []string{"", "/"} {
		r.Get(ofCompany+end, g.handle(g.company))
		r.Get(ofOne+end, g.handle(g.single))
		r.Delete(ofOne+end, g.handle(g.delete))
	}
	r.Post(ofCompany+"/login", g.handle(g.login))
	r.Post(ofCompany+"/verify", g.handle(g.verify))
	r.Get(ofCompany+"/identifications", g.handle(g.list))
	r.Get(ofCompany+"/identifications/", g.handle(g.single)) // the number was left out
	r.Delete(ofCompany+"/identifications/", g.handle(g.delete))
	for _, action := range []string{"start", "requestVideoChat", "copy", "archive"} {
		r.Post(ofCompany+"/identifications/"+action, g.handle(g.noNumber))
	}
	r.Get(ofOne+"/status", g.handle(g.status))
	r.Get(ofOne+"/deliveries", g.handle(g.deliveries))
	r.Post(ofOne+"/start", g.handle(g.start))
	r.Post(ofOne+"/requestVideoChat", g.handle(g.requestVideoChat))
	r.Post(ofOne+"/copy", g.handle(g.copy))
	r.Post(ofOne+"/archive", g.handle(g.archive))
	g.documentRoutes(r)
}

func (g *Gateway) documentRoutes(r chi.Router) {
	for _, end := range []string{"", "/"} {
		r.Get(ofDefinitions+end, g.handle(g.definitions))
		r.Post(ofDefinitions+end, g.handle(g.createDefinition))
	}
	r.Get(ofDefinition, g.handle(g.definition))
	r.Post(ofDefinition, g.handle(g.updateDefinition))
	r.Delete(ofDefinition, g.handle(g.deleteDefinition))
	r.Get(ofDefinition+"/data", g.handle(g.downloadDefault))
	r.Post(ofDefinition+"/data", g.handle(g.uploadDefault))
	r.Get(ofOne+"/uploadlink", g.handle(g.uploadLink))
	for _, documents := range ofDocuments {
		r.Get(documents, g.handle(g.documents))
		r.Get(documents+"/", g.handle(g.documents))
		r.Get(documents+"/{document}", g.handle(g.document))
		r.Post(documents+"/{document}", g.handle(g.updateDocument))
		r.Get(documents+"/{document}/data", g.handle(g.downloadDocument))
		r.Post(documents+"/{document}/data", g.handle(g.uploadDocument))
		r.Get(documents+"/{document}/signed", g.handle(g.signedDocument))
		r.Post(documents+"/{document}/signed", g.handle(g.signedDocument))
	}
}

// outer does what comes before any route: other origins may read every answer, a
// preflight is answered at once, and in live nothing goes over plain HTTP but the system
// check and what validators of signatures ask for.
func (g *Gateway) outer(next http.Handler) http.Handler {
	refuse := g.handle(func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Forbidden, "Use HTTPS")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Link, Retry-After, X-Request-Id")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if g.Live && r.URL.Path != "/system_check" {
			secure := g.Proxies.Secure(r)
			if !secure && !overPlain(r.URL.Path) {
				if strings.HasPrefix(r.URL.Path, "/api/") {
					refuse(w, r)
				} else {
					http.Redirect(w, r, "https://"+r.Host+r.URL.RequestURI(), http.StatusPermanentRedirect) //nolint:gosec // the host that was asked for, as the proxy or the client names it
				}
				return
			}
			if secure {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
		}
		if r.Method == http.MethodOptions {
			preflight(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, DELETE, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-API-KEY, X-API-LOGIN-TOKEN")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func static(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'none'")
		_, _ = w.Write(content) // the client is gone
	}
}

// pathValue returns a part of the path, decoded once. The router cuts the parts out of the
// path as it was sent only where that differs from what encoding its decoded form gives;
// else net/http has decoded it already.
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

func numberOf(r *http.Request) string { return pathValue(r, "transactionnumber") }

// byToken opens the routes that only a log-in token opens.
func (g *Gateway) byToken(r *http.Request) (*account.Account, error) {
	a, err := g.Login.Token(r.Context(), companyOf(r), r.Header.Get("X-API-LOGIN-TOKEN"))
	return g.known(r, a, err)
}

// byKey opens the routes that create: an API key does, and a log-in token.
func (g *Gateway) byKey(r *http.Request) (*account.Account, error) {
	a, err := g.checkKey(r)
	return g.known(r, a, err)
}

// checkKey is byKey without counting a refusal: some routes have another way in.
func (g *Gateway) checkKey(r *http.Request) (*account.Account, error) {
	if token := r.Header.Get("X-API-LOGIN-TOKEN"); token != "" {
		return g.Login.Token(r.Context(), companyOf(r), token)
	}
	return g.Login.Key(companyOf(r), r.Header.Get("X-API-KEY"))
}

// known returns the company that the credentials opened, or what refused makes of the error.
func (g *Gateway) known(r *http.Request, a *account.Account, err error) (*account.Account, error) {
	if err == nil {
		web.FactsOf(r.Context()).Company = string(a.ID)
		return a, nil
	}
	return nil, g.refused(r, err)
}

// refused counts a wrong key as a failed log-in, and the absence of credentials as a failed
// look-up, and slows down who has too many. A token is never counted: one that has ended
// is a client's cue to log in again, and none can be guessed. Nor is a right key on a route
// that wants a token. Other errors pass.
func (g *Gateway) refused(r *http.Request, err error) error {
	if !fault.Is(err, fault.BadCredentials) || r.Header.Get("X-API-LOGIN-TOKEN") != "" {
		return err
	}
	key := r.Header.Get("X-API-KEY")
	if key == "" {
		return g.failed(g.Limits.Lookups, r, err)
	}
	if _, wrong := g.Login.Key(companyOf(r), key); wrong == nil {
		return err
	}
	return g.failed(g.Limits.Logins, r, err)
}

// failed counts a failure of the client; its error is err, or that there were too many.
func (g *Gateway) failed(l *web.Limiter, r *http.Request, err error) error {
	wait := l.Failed(g.Proxies.Client(r))
	if wait == 0 {
		return err
	}
	many := fault.New(fault.TooMany, "Too many failures, try again later")
	many.RetryAfter = wait
	return many
}

func (g *Gateway) noNumber(_ http.ResponseWriter, r *http.Request) error {
	if _, err := g.byKey(r); err != nil {
		return err
	}
	return fault.Of(fault.MissingNumber)
}
