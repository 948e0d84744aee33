package pages_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/service/videoident"
)

// contract is an identification that waits for a file.
type contract struct {
	*site
	number string
	link   string
}

func newContract(s *site, number string) contract {
	s.Helper()
	s.apply("ihrebank", func(c *company.Company) { c.Products = append(c.Products, company.ESigning) })
	a, _ := s.accounts.Get("ihrebank")
	ctx := s.Context()
	for n, name := range []string{"Arbeitsvertrag <b>", "Second"} {
		id, kind := esign.Identifier(fmt.Sprint("doc", n)), "application/pdf"
		optional := true // so that tests can begin the process without it
		change := esign.Change{Identifier: &id, Name: &name, MIMEType: &kind, Optional: &optional}
		if n == 0 {
			change.Signatures = &[]esign.Signature{{Name: "s", Position: esign.Position{TextContent: "Sign here", Width: 1, Height: 1}}}
		}
		if _, err := s.signing.Definition(ctx, a, id); err != nil {
			s.ok(s.signing.CreateDefinition(ctx, a, change))
		}
	}
	_, err := s.identify.Start(ctx, a, number, person.Application{})
	s.ok(err)
	link, err := s.signing.UploadLink(ctx, s.get(number))
	s.ok(err)
	return contract{s, number, link}
}

func (c contract) document() esign.Document {
	c.Helper()
	d, err := c.signing.Document(c.Context(), c.get(c.number), "doc0")
	c.ok(err)
	return d
}

// form is what a browser sends of a file.
func form(field, name, content string) (body []byte, kind string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, name)
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err != nil || w.Close() != nil {
		panic(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

// send posts a body to the page, and expects the status.
func (c contract) send(want int, body []byte, kind string) answer {
	c.Helper()
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, c.server.URL+c.link, bytes.NewReader(body))
	c.ok(err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept-Language", "en")
	a, err := client.Do(r)
	c.ok(err)
	defer func() { _ = a.Body.Close() }()
	text, err := io.ReadAll(a.Body)
	c.ok(err)
	if a.StatusCode != want {
		c.Fatalf("%d, expected %d: %s", a.StatusCode, want, text)
	}
	return answer{a, string(text)}
}

const goodFile = "%PDF-1.7 Sign here"

func TestUserUploadsTheFirstDocument(t *testing.T) {
	c := newContract(newSite(t, false), "Order-1")
	page := c.want(http.StatusOK, http.MethodGet, c.link, nil)
	for _, part := range []string{`<form method="post" enctype="multipart/form-data"`, `name="data"`, `type="file"`, `accept="application/pdf"`, "Arbeitsvertrag &lt;b&gt;", "IhreBank AG", `<label for="data">`} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page has no %s: %s", part, page.body)
		}
	}
	for _, tells := range []string{"Order-1", "IHR-", "Second", "style=", "onclick", "onsubmit"} {
		if strings.Contains(page.body, tells) {
			t.Errorf("the page holds %q", tells)
		}
	}
	if got := page.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || !strings.Contains(got, "script-src 'self'; connect-src 'self'") || !strings.Contains(got, "form-action 'self'") || strings.Contains(got, "unsafe") {
		t.Errorf("the policy is %s", got)
	}
	body, kind := form("data", "contract.pdf", goodFile)
	done := c.send(http.StatusSeeOther, body, kind)
	if got := done.Header.Get("Location"); got != c.link {
		t.Errorf("it leads to %s", got)
	}
	d := c.document()
	if d.Status() != esign.Uploaded || d.File.Size != int64(len(goodFile)) || !d.ByUser {
		t.Errorf("%+v", d.File)
	}
	page = c.want(http.StatusOK, http.MethodGet, c.link, nil)
	if !strings.Contains(page.body, d.File.Display()) || !strings.Contains(page.body, "<form") {
		t.Errorf("afterwards: %s", page.body)
	}
	// The same user may have made a mistake.
	body, kind = form("data", "contract.pdf", goodFile+" and there")
	c.send(http.StatusSeeOther, body, kind)
	if again := c.document(); again.File.Hex() == d.File.Hex() {
		t.Error("it was not replaced")
	}
	if log := c.log.String(); strings.Contains(log, c.link[len("/ihrebank/upload/"):]) || strings.Contains(log, "Arbeitsvertrag") || strings.Contains(log, "contract.pdf") {
		t.Errorf("the log tells: %s", log)
	}
}

func TestWhatIsWrongWithAFileIsSaidInWords(t *testing.T) {
	c := newContract(newSite(t, false), "1")
	encode := func(field, name, content string) []byte {
		body, _ := form(field, name, content)
		return body
	}
	_, kind := form("data", "x", "x")
	boundary := regexp.MustCompile(`boundary=(.*)`).FindStringSubmatch(kind)[1]
	own := func(b []byte) []byte { // each form has a boundary of its own
		theirs := bytes.TrimPrefix(b[:bytes.IndexByte(b, '\r')], []byte("--"))
		return bytes.ReplaceAll(b, theirs, []byte(boundary))
	}
	whole := own(encode("data", "a.pdf", goodFile))
	for name, w := range map[string]struct {
		body   []byte
		kind   string
		status int
		says   string
	}{
		"no PDF":         {own(encode("data", "a.pdf", "no such thing")), kind, 400, "cannot be signed"},
		"no place":       {own(encode("data", "a.pdf", "%PDF-1.7 nothing")), kind, 412, "not the expected document"},
		"nothing chosen": {own(encode("data", "", "")), kind, 400, "choose a file"},
		"empty":          {own(encode("data", "a.pdf", "")), kind, 400, "cannot be signed"},
		"another field":  {own(encode("file", "a.pdf", goodFile)), kind, 400, "choose a file"},
		"cut":            {whole[:len(whole)-len(boundary)-20], kind, 400, "did not arrive whole"},
		"no form":        {[]byte(goodFile), "application/pdf", 400, "choose a file"},
		"another form":   {[]byte("data=x"), "application/x-www-form-urlencoded", 400, "choose a file"},
		"too large":      {own(encode("data", "a.pdf", strings.Repeat("x", esign.MaxFile+1))), kind, 413, "larger than 64 MiB"},
	} {
		a := c.send(w.status, w.body, w.kind)
		for _, part := range []string{w.says, `role="alert"`, `aria-invalid="true"`, "<title>Error: ", "<form"} {
			if !strings.Contains(a.body, part) {
				t.Errorf("%s: no %s in %s", name, part, a.body)
			}
		}
		if d := c.document(); d.Status() != esign.NeedUpload {
			t.Errorf("%s: it was taken", name)
		}
	}
	body, kind := form("data", "a.pdf", "%PDF-1.7 trouble")
	if a := c.send(http.StatusInternalServerError, body, kind); !strings.Contains(a.body, "The mistake is ours") {
		t.Errorf("trouble of ours: %s", a.body)
	}
}

func TestWhatTheCompanyHasUploadedStays(t *testing.T) {
	c := newContract(newSite(t, false), "1")
	a, _ := c.accounts.Get("ihrebank")
	c.ok(c.signing.Upload(c.Context(), a, c.get("1"), "doc0", strings.NewReader(goodFile+" of the bank")))
	page := c.want(http.StatusOK, http.MethodGet, c.link, nil)
	if strings.Contains(page.body, "<form") || strings.Contains(page.body, "<script") || !strings.Contains(page.body, "already") {
		t.Errorf("the page: %s", page.body)
	}
	if got := page.Header.Get("Content-Security-Policy"); strings.Contains(got, "script-src") || !strings.Contains(got, "form-action 'none'") {
		t.Errorf("the policy is %s", got)
	}
	body, kind := form("data", "a.pdf", goodFile)
	c.send(http.StatusConflict, body, kind)
	if c.document().ByUser {
		t.Error("it was replaced")
	}
}

func TestNothingIsUploadedOnceTheProcessRuns(t *testing.T) {
	c := newContract(newSite(t, false), "1")
	c.ok(c.video.Request(c.Context(), videoident.Case{Company: "ihrebank", ID: c.get("1").ID}, ident.VideoIdent, ident.Web, nil))
	if page := c.want(http.StatusOK, http.MethodGet, c.link, nil); strings.Contains(page.body, "<form") || !strings.Contains(page.body, "has begun") {
		t.Errorf("the page: %s", page.body)
	}
	body, kind := form("data", "a.pdf", goodFile)
	c.send(http.StatusConflict, body, kind)
	if c.document().Status() != esign.NeedUpload {
		t.Error("it was taken")
	}
}

func TestDeadUploadLinksAllLookTheSameAndAreCounted(t *testing.T) {
	c := newContract(newSite(t, true), "1")
	dead := newContract(c.site, "2")
	c.ok(c.identify.Delete(c.Context(), "ihrebank", "2", "company"))
	token := c.link[len("/ihrebank/upload/"):]
	download := c.finished("3")[len("/ihrebank/download/"):]
	https := []string{"X-Forwarded-Proto", "https", "X-Forwarded-For", "198.51.100.9"}
	var first string
	for _, path := range []string{dead.link, "/testbank/upload/" + token, "/nobody/upload/" + token, "/ihrebank/upload/abc", "/ihrebank/upload/" + token[:40], "/ihrebank/upload/" + download} {
		a := c.want(http.StatusNotFound, http.MethodGet, path, nil, https...)
		if first == "" {
			first = a.body
		}
		if a.body != first {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for range 20 - 6 {
		c.want(http.StatusNotFound, http.MethodGet, dead.link, nil, https...)
	}
	c.want(http.StatusTooManyRequests, http.MethodGet, dead.link, nil, https...)
	c.want(http.StatusOK, http.MethodGet, c.link, nil, https...) // who has a good link is not counted
	c.now.Add(time.Minute.Microseconds())
	c.want(http.StatusNotFound, http.MethodGet, dead.link, nil, https...)
	if a := c.want(http.StatusPermanentRedirect, http.MethodGet, c.link, nil); a.Header.Get("Location") == "" {
		t.Error("in live, nothing goes over plain HTTP")
	}
}

func TestTheScriptIsOneFileOfOurs(t *testing.T) {
	c := newContract(newSite(t, false), "1")
	page := c.want(http.StatusOK, http.MethodGet, c.link, nil)
	address := regexp.MustCompile(`<script defer src="([^"]+)"></script>`).FindStringSubmatch(page.body)
	if address == nil {
		t.Fatalf("no script: %s", page.body)
	}
	a := c.want(http.StatusOK, http.MethodGet, address[1], nil)
	text, err := os.ReadFile("template/upload.js")
	c.ok(err)
	if a.body != string(text) || a.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%s: %s", a.Header.Get("Content-Type"), a.body)
	}
	if strings.Count(page.body, "<script") != 1 {
		t.Error("there is more script")
	}
}

func TestUploadPageSpeaksGerman(t *testing.T) {
	c := newContract(newSite(t, false), "1")
	page := c.want(http.StatusOK, http.MethodGet, c.link, nil, "Accept-Language", "de")
	if !strings.Contains(page.body, `<html lang="de">`) || !strings.Contains(page.body, "Dokument hochladen") {
		t.Errorf("%s", page.body)
	}
}
