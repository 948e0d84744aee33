package gateway

import (
	"context"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"vidimus/internal/domain/fault"
	"vidimus/internal/server/web"
)

// Trust is the built-in trust service, as far as everybody may ask it. A question that it
// refuses has an answer too, which says why; an error that comes with an answer is for the log.
type Trust interface {
	// OCSP answers a request of RFC 6960, TimestampResponse one of RFC 3161; all are DER.
	OCSP(ctx context.Context, request []byte) ([]byte, error)
	TimestampResponse(ctx context.Context, request []byte) ([]byte, error)
}

const (
	ocspPath  = "/assets/certs/ocsp"
	stampPath = "/assets/certs/tsa"
)

// longestQuestion is the largest request to the trust service: some hundred times a usual one.
const longestQuestion = 16 << 10

func (g *Gateway) trustRoutes(r chi.Router) {
	r.Post(ocspPath, g.handle(g.ocsp))
	r.Get(ocspPath+"/*", g.handle(g.ocspInPath))
	r.Post(stampPath, g.handle(g.timestamp))
	for _, path := range []string{ocspPath, stampPath} { // are no files
		r.Get(path, g.handle(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", "POST, OPTIONS")
			return fault.Of(fault.MethodNotAllowed)
		}))
	}
}

// overPlain says whether a path answers over plain HTTP in live too: what is signed itself, and
// asked for by programs that check signatures and would go round in circles, or follow no
// redirection, if they had to check a server's certificate for it.
func overPlain(path string) bool {
	file, ok := strings.CutPrefix(path, "/assets/certs/")
	return ok && (path == ocspPath || strings.HasPrefix(path, ocspPath+"/") || path == stampPath || strings.HasSuffix(file, ".crl") || strings.HasSuffix(file, ".cer"))
}

func (g *Gateway) ocsp(w http.ResponseWriter, r *http.Request) error {
	return g.ask(w, r, "application/ocsp-request", "application/ocsp-response", g.Trust.OCSP)
}

func (g *Gateway) timestamp(w http.ResponseWriter, r *http.Request) error {
	return g.ask(w, r, "application/timestamp-query", "application/timestamp-reply", g.Trust.TimestampResponse)
}

// ask has the trust service answer a body.
func (g *Gateway) ask(w http.ResponseWriter, r *http.Request, asks, says string, answer func(context.Context, []byte) ([]byte, error)) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != asks {
		return fault.New(fault.UnsupportedContent, "The body must be %s", asks).In("Content-Type")
	}
	request, err := io.ReadAll(io.LimitReader(r.Body, longestQuestion+1))
	switch {
	case err != nil:
		return fault.New(fault.Invalid, "The body cannot be read").Because(err)
	case len(request) > longestQuestion:
		return fault.New(fault.TooLarge, "A request has at most %d bytes", longestQuestion)
	}
	return g.say(w, r, request, says, answer)
}

// ocspInPath is the GET of RFC 6960, A.1: the request stands in the path, in base64, with or
// without its slashes and plus signs escaped. What is no base64 is no request, and gets the
// answer of one.
func (g *Gateway) ocspInPath(w http.ResponseWriter, r *http.Request) error {
	text, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), ocspPath+"/"))
	if err != nil {
		text = ""
	}
	text = strings.TrimRight(strings.TrimLeft(text, "/"), "=") // of no request is the first letter a slash
	request, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		request = nil
	}
	return g.say(w, r, request, "application/ocsp-response", g.Trust.OCSP)
}

// say answers, unless the client has had too many answers already.
func (g *Gateway) say(w http.ResponseWriter, r *http.Request, request []byte, kind string, answer func(context.Context, []byte) ([]byte, error)) error {
	if wait := g.Limits.Questions.Failed(g.Proxies.Client(r)); wait > 0 {
		many := fault.New(fault.TooMany, "Too many questions, try again later")
		many.RetryAfter = wait
		return many
	}
	b, err := answer(r.Context(), request)
	if b == nil {
		return err
	}
	if err != nil {
		web.FactsOf(r.Context()).Error = err
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(b) // the client is gone
	return nil
}
