package pages_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/ident"
)

func TestTheFormHandsTheResultToWhoHasTheKey(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("Order-1")
	form := s.want(http.StatusOK, http.MethodGet, link, nil)
	for _, part := range []string{`<form method="post"`, `<label for="apikey">`, `type="password"`, `autocomplete="off"`, "IhreBank AG", `<html lang="en">`} {
		if !strings.Contains(form.body, part) {
			t.Errorf("the form has no %s: %s", part, form.body)
		}
	}
	for _, tells := range []string{"Order-1", lastName, "IHR-", "<script", "style=", "onclick"} {
		if strings.Contains(strings.ToLower(form.body), strings.ToLower(tells)) {
			t.Errorf("the form holds %q", tells)
		}
	}
	a := s.want(http.StatusOK, http.MethodPost, link, withKey("  "+bankKey+"\n"), "X-Forwarded-For", "198.51.100.9")
	if a.body != string(s.zip("Order-1")) {
		t.Error("it is not the ZIP that the API hands out")
	}
	for name, want := range map[string]string{
		"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="Order-1.zip"`, "Cache-Control": "no-store",
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Set-Cookie": "",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	hash := sha256.Sum256([]byte(a.body))
	got := s.ledger(s.get("Order-1").ID)
	if len(got) != 1 || got[0].Way != delivery.Form || got[0].State != delivery.Done || got[0].Client != "198.51.100.9" || got[0].Bytes != int64(len(a.body)) || string(got[0].Hash) != string(hash[:]) {
		t.Errorf("the ledger: %+v", got)
	}
	if log := s.log.String(); strings.Contains(log, "Order-1") || strings.Contains(log, bankKey) || strings.Contains(log, link[len("/ihrebank/download/"):]) {
		t.Errorf("the log tells: %s", log)
	}
}

func TestAWrongKeyGetsTheFormAgain(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("1")
	for _, c := range []struct {
		form   url.Values
		status int
		says   string
	}{
		{withKey("wrong-key-of-somebody"), http.StatusUnauthorized, "not correct"},
		{withKey(otherKey), http.StatusUnauthorized, "not correct"},
		{withKey(""), http.StatusBadRequest, "Please enter"},
		{url.Values{}, http.StatusBadRequest, "Please enter"},
		{url.Values{"other": {bankKey}}, http.StatusBadRequest, "Please enter"},
		{withKey(bankKey + strings.Repeat("x", 5000)), http.StatusUnauthorized, "not correct"},
	} {
		a := s.want(c.status, http.MethodPost, link, c.form)
		for _, part := range []string{c.says, `role="alert"`, `aria-invalid="true"`, "<title>Error: "} {
			if !strings.Contains(a.body, part) {
				t.Errorf("%v: no %s in %s", c.form, part, a.body)
			}
		}
		if strings.Contains(a.body, "value=") || strings.Contains(a.body, "wrong-key") || strings.Contains(a.body, bankKey) {
			t.Errorf("%v: what was typed is shown: %s", c.form, a.body)
		}
	}
	s.want(http.StatusBadRequest, http.MethodPost, link+"?apikey="+bankKey, url.Values{}) // an address ends up in logs
	s.want(http.StatusBadRequest, http.MethodPost, link, withKey(bankKey), "Content-Type", "text/plain")
	s.want(http.StatusBadRequest, http.MethodPost, link, url.Values{"%zz": nil}, "Content-Type", "application/x-www-form-urlencoded; charset=\"")
	s.want(http.StatusRequestEntityTooLarge, http.MethodPost, link, withKey(strings.Repeat("x", 20<<10)))
	if got := s.ledger(s.get("1").ID); len(got) > 0 {
		t.Errorf("the ledger: %+v", got)
	}
}

// withoutID is the answer without what differs from one request to the next.
func (a answer) withoutID() string {
	h := a.Header.Clone()
	h.Del("X-Request-Id")
	h.Del("Date")
	var text strings.Builder
	_ = h.Write(&text) // sorted by name; a Builder takes everything
	return a.Status + "\n" + text.String() + a.body
}

func TestEveryDeadLinkIsAnsweredAlike(t *testing.T) {
	s := newSite(t, false)
	link, deleted, without := s.finished("1"), s.finished("2"), s.finished("3")
	token := strings.TrimPrefix(link, "/ihrebank/download/")
	s.ok(s.identify.Delete(t.Context(), "ihrebank", "2", "company"))
	pending := s.preliminary("4")
	canceled := s.preliminary("5")
	i := s.get("5")
	s.ok(s.video.Review(t.Context(), canceled, evidence.Review{Decision: evidence.Cancel, Reviewer: "B", Reason: ident.TechPhoto}))
	dead := map[string]string{
		"an unknown company":          "/nobody/download/" + token,
		"another company":             "/testbank/download/" + token,
		"no token at all":             "/ihrebank/download/AAAA",
		"a token that was altered":    link[:len(link)-3] + "AAA",
		"one that was deleted":        deleted,
		"one that was canceled":       s.publish.Link(i),
		"a result that is not final":  s.publish.Link(s.get("4")),
		"an escaped token":            "/ihrebank/download/" + "%2e%2e",
		"an escaped company":          "/%2e%2e/download/" + token,
		"a token that is far too big": "/ihrebank/download/" + strings.Repeat("A", 5000),
	}
	_ = pending
	want := s.want(http.StatusNotFound, http.MethodGet, "/ihrebank/download/x", nil).withoutID()
	for why, path := range dead {
		if got := s.want(http.StatusNotFound, http.MethodGet, path, nil).withoutID(); got != want {
			t.Errorf("%s is answered differently:\n%s\n%s", why, got, want)
		}
		if got := s.want(http.StatusNotFound, http.MethodPost, path, withKey(bankKey)).withoutID(); got != want {
			t.Errorf("%s is answered differently after a form:\n%s\n%s", why, got, want)
		}
	}
	s.apply("ihrebank", func(c *company.Company) { c.SecureDownload, c.Languages = false, []string{"de"} })
	if got := s.want(http.StatusNotFound, http.MethodGet, without, nil).withoutID(); got != want {
		t.Errorf("an account without the form: %s", got)
	}
	s.apply("ihrebank", func(c *company.Company) { c.Realtime = true })
	s.want(http.StatusOK, http.MethodGet, s.publish.Link(s.get("4")), nil)
}

func TestTooManyWrongKeysHaveToWait(t *testing.T) {
	s := newSite(t, true)
	link := s.finished("1")
	post := func(status int, key, from string) answer {
		t.Helper()
		return s.want(status, http.MethodPost, link, withKey(key), "X-Forwarded-Proto", "https", "X-Forwarded-For", from)
	}
	s.now.Add(10e6)
	for range 20 {
		post(http.StatusUnauthorized, "wrong", "198.51.100.9")
	}
	for _, key := range []string{"wrong", bankKey} { // whether it was right is not told
		a := post(http.StatusTooManyRequests, key, "198.51.100.9")
		if wait, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || wait < 50 || wait > 51 || !strings.Contains(a.body, "<h1>Too many attempts") {
			t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), a.body)
		}
	}
	post(http.StatusOK, bankKey, "198.51.100.10")
	s.now.Add(50e6)
	post(http.StatusOK, bankKey, "198.51.100.9")
}

func TestTriesThatAreHeldOpenCount(t *testing.T) {
	s := newSite(t, true)
	link := s.finished("1")
	from := []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "198.51.100.9"}
	const tries = 25
	bodies := make([]*io.PipeWriter, tries)
	status := make(chan int, tries)
	for n := range bodies {
		var body *io.PipeReader
		body, bodies[n] = io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+link, body)
		s.ok(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(from); i += 2 {
			r.Header.Set(from[i], from[i+1])
		}
		go func() {
			a, err := s.server.Client().Do(r)
			if err != nil {
				t.Error(err)
				status <- 0
				return
			}
			_ = a.Body.Close()
			status <- a.StatusCode
		}()
		_, err = io.WriteString(bodies[n], "apikey=")
		s.ok(err) // the request has begun
	}
	wrong := 0
	for _, body := range bodies {
		_, err := io.WriteString(body, "wrong")
		s.ok(err)
		s.ok(body.Close())
	}
	for range tries {
		if got := <-status; got == http.StatusUnauthorized {
			wrong++
		} else if got != http.StatusTooManyRequests {
			t.Errorf("status %d", got)
		}
	}
	if wrong != 20 {
		t.Errorf("%d keys were looked at", wrong)
	}
	s.want(http.StatusTooManyRequests, http.MethodPost, link, withKey(bankKey), from...)
	s.now.Add(60e6)
	for range 30 { // right ones are no failures
		s.want(http.StatusOK, http.MethodPost, link, withKey(bankKey), from...)
	}
}

func TestTooManyDeadLinksHaveToWait(t *testing.T) {
	s := newSite(t, true)
	link := s.finished("1")
	get := func(status int, path string) {
		t.Helper()
		s.want(status, http.MethodGet, path, nil, "X-Forwarded-Proto", "https", "X-Forwarded-For", "198.51.100.9")
	}
	for n := range 20 {
		get(http.StatusNotFound, fmt.Sprintf("/ihrebank/download/%d", n))
	}
	get(http.StatusTooManyRequests, "/ihrebank/download/x")
	get(http.StatusOK, link) // successes are never refused
}

func TestLiveMeansHTTPS(t *testing.T) {
	s := newSite(t, true)
	link := s.finished("1")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		a := s.want(http.StatusPermanentRedirect, method, link+"?a=b", withKey(bankKey))
		if got := a.Header.Get("Location"); got != strings.Replace(s.server.URL, "http:", "https:", 1)+link+"?a=b" {
			t.Errorf("sent to %s", got)
		}
	}
	a := s.want(http.StatusOK, http.MethodGet, link, nil, "X-Forwarded-Proto", "https")
	if a.Header.Get("Strict-Transport-Security") == "" {
		t.Error("the browser is not told to come by HTTPS next time")
	}
}

func TestPagesSpeakTheBrowsersLanguage(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("1")
	for _, c := range []struct{ accept, offered, want string }{
		{"", "de,en", "de"}, {"en-GB,en;q=0.8", "de,en", "en"}, {"de-CH", "en,de", "de"}, {"fr,de;q=0.5,en;q=0.4", "en,de", "de"},
		{"fr", "de,en", "de"}, {"en", "de", "de"}, {"de", "fr,en", "en"}, {"", "fr", "en"}, {"de", "fr", "de"}, {"*", "de", "de"}, {";;q=,", "en,de", "en"},
		{strings.Repeat("de,", 5000), "en,de", "en"},
	} {
		s.apply("ihrebank", func(a *company.Company) { a.Languages = strings.Split(c.offered, ",") })
		a := s.want(http.StatusOK, http.MethodGet, link, nil, "Accept-Language", c.accept)
		if !strings.Contains(a.body, `<html lang="`+c.want+`">`) || a.Header.Get("Content-Language") != c.want || a.Header.Get("Vary") != "Accept-Language" {
			t.Errorf("%+.60v: %.200s", c, a.body)
		}
	}
	if a := s.want(http.StatusNotFound, http.MethodGet, "/nowhere", nil, "Accept-Language", "de-AT"); !strings.Contains(a.body, "Seite nicht gefunden") {
		t.Errorf("%s", a.body)
	}
}

func TestPagesLookLikeTheCompanys(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("1")
	plain := s.want(http.StatusOK, http.MethodGet, link, nil)
	if strings.Contains(plain.body, "<style") || strings.Contains(plain.body, "<img") {
		t.Errorf("without branding: %s", plain.body)
	}
	s.apply("ihrebank", func(c *company.Company) {
		c.Name = `Bank & "Söhne" <AG>`
		c.Branding = company.Branding{Colour: "#ff0", Logo: company.Image{Type: company.TypeSVG, Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}}
		c.Embedding.Origins = []string{"https://www.ihrebank.example", "https://*.example.com"}
	})
	a := s.want(http.StatusOK, http.MethodGet, link, nil)
	for _, part := range []string{
		`<style>:root{--brand:#ffff00;--on-brand:#000;--brand-edge:#555}</style>`, `<img src="data:image/svg+xml;base64,`,
		`alt="Bank &amp; &#34;Söhne&#34; &lt;AG&gt;"`,
	} {
		if !strings.Contains(strings.ReplaceAll(a.body, "&#43;", "+"), part) {
			t.Errorf("no %s in %s", part, a.body)
		}
	}
	policy := a.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "style-src 'self' 'sha256-", "form-action 'self'", "frame-ancestors https://www.ihrebank.example https://*.example.com"} {
		if !strings.Contains(policy, part) {
			t.Errorf("no %s in %s", part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "script") {
		t.Errorf("%s", policy)
	}
	if !strings.HasSuffix(plain.Header.Get("Content-Security-Policy"), "frame-ancestors *") {
		t.Error("anybody may frame the pages of an account that names no origins")
	}
}

func TestTheStyleSheetIsThere(t *testing.T) {
	s := newSite(t, false)
	page := s.want(http.StatusNotFound, http.MethodGet, "/", nil)
	address := regexp.MustCompile(`<link rel="stylesheet" href="([^"]*)">`).FindStringSubmatch(page.body)
	if address == nil {
		t.Fatalf("%s", page.body)
	}
	a := s.want(http.StatusOK, http.MethodGet, address[1], nil)
	if a.Header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || !strings.Contains(a.body, "--brand") {
		t.Errorf("%v", a.Header)
	}
}

func TestHeadAndWrongMethods(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("1")
	form := s.want(http.StatusOK, http.MethodGet, link, nil)
	if a := s.want(http.StatusOK, http.MethodHead, link, nil); a.body != "" || a.Header.Get("Content-Length") != form.Header.Get("Content-Length") {
		t.Errorf("HEAD: %v %q", a.Header, a.body)
	}
	s.want(http.StatusNotFound, http.MethodHead, "/ihrebank/download/x", nil)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions} {
		a := s.want(http.StatusMethodNotAllowed, method, link, nil)
		if a.Header.Get("Allow") != "GET, HEAD, POST" || !strings.Contains(a.body, "<h1>This is not possible") {
			t.Errorf("%s: %v %s", method, a.Header, a.body)
		}
	}
	for _, path := range []string{"/", "/ihrebank", "/ihrebank/download", "/ihrebank/download/", "/assets/none", "/ihrebank/download/a/b", "//", "/%ff"} {
		if a := s.want(http.StatusNotFound, http.MethodGet, path, nil); !strings.Contains(a.body, "<h1>Page not found") || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

func TestADownloadThatCannotBeginIsAPageWithANumber(t *testing.T) {
	s := newSite(t, false)
	link := s.finished("1")
	s.ok(s.db.Close())
	s.closed = true
	a := s.want(http.StatusInternalServerError, http.MethodPost, link, withKey(bankKey))
	number := regexp.MustCompile(`<code>(\d+)</code>`).FindStringSubmatch(a.body)
	if number == nil || !strings.Contains(s.log.String(), "error_id="+number[1]) || strings.Contains(a.body, "database") {
		t.Errorf("%s\n%s", a.body, s.log.String())
	}
}

// TestServeForABrowser leaves the pages open for a look at them with a browser, for as long
// as VIDIMUS_LOOK says, and prints where.
func TestServeForABrowser(t *testing.T) {
	look, err := time.ParseDuration(os.Getenv("VIDIMUS_LOOK"))
	if err != nil {
		return // nobody wants to look
	}
	s := newSite(t, false)
	s.apply("ihrebank", func(c *company.Company) {
		logo, err := os.ReadFile("../../../docs/operate/logo.svg")
		s.ok(err)
		c.Branding = company.Branding{Colour: "#0a5", Logo: company.Image{Type: company.TypeSVG, Data: logo}}
	})
	fmt.Println(s.server.URL + s.finished("1"))
	time.Sleep(look)
}
