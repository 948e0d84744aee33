package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"

	"vidimus/internal/service/account"
)

//go:embed template/*.html template/pages.css template/upload.js
var files embed.FS

// templates holds each page within the common frame.
var templates = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"download", "upload", "error"} {
		all[name] = template.Must(template.ParseFS(files, "template/frame.html", "template/"+name+".html"))
	}
	return all
}()

// sheetPath is where the one style sheet of all pages is. sheetAddress carries its hash, so
// that browsers may keep it for ever.
const sheetPath = "/assets/pages.css"

var (
	sheetText    = must(files.ReadFile("template/pages.css"))
	sheetAddress = func() string {
		sum := sha256.Sum256(sheetText)
		return sheetPath + "?v=" + hex.EncodeToString(sum[:6])
	}()
)

// scriptPath is where the script of the upload page is, scriptAddress as with the sheet.
const scriptPath = "/assets/upload.js"

var (
	scriptText    = must(files.ReadFile("template/upload.js"))
	scriptAddress = func() string {
		sum := sha256.Sum256(scriptText)
		return scriptPath + "?v=" + hex.EncodeToString(sum[:6])
	}()
)

func script(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(scriptText) // the client is gone
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err) // it is part of the program
	}
	return b
}

func sheet(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(sheetText) // the client is gone
}

// view is what a page shows.
type view struct {
	Words    *words
	Title    string
	Template string
	Account  *account.Account // whose page it is; nil: nobody's
	Form     bool             // the page may send a form to its own address
	Wrong    string           // what was wrong with what was sent; empty: nothing
	Text     string           // of an error
	ErrorID  string           // to quote to the operator; empty: there is none
	Upload   *uploadView      // of the upload page
}

// uploadView is what the upload page shows.
type uploadView struct {
	Document    string // its name
	Accept      string // the MIME type that the browser offers; empty: any
	Fingerprint string // of what is there; empty: nothing
	Given       bool   // by the company: nothing is to be uploaded
	Closed      bool   // nothing can be uploaded any more, or not now
}

// Open says whether there is a form.
func (u *uploadView) Open() bool { return !u.Given && !u.Closed }

// Script is the address of the script that the page may run; empty: none.
func (v view) Script() string {
	if v.Upload == nil || !v.Upload.Open() {
		return ""
	}
	return scriptAddress
}

// Sheet is the address of the style sheet.
func (view) Sheet() string { return sheetAddress }

// Name is the company's name; empty for nobody's page.
func (v view) Name() string {
	if v.Account == nil {
		return ""
	}
	return v.Account.Name
}

// Logo is the company's logo within the page: an address of its own would tell who is a
// customer here. A picture in an img runs no code.
func (v view) Logo() template.URL {
	if v.Account == nil || v.Account.Branding.Logo.IsZero() {
		return ""
	}
	l := v.Account.Branding.Logo
	return template.URL("data:" + string(l.Type) + ";base64," + base64.StdEncoding.EncodeToString(l.Data)) //nolint:gosec // checked when the company was applied
}

// Colours is the style of the company's colour; empty: ours.
func (v view) Colours() template.CSS {
	if v.Account == nil {
		return ""
	}
	return colours(v.Account.Branding.Colour)
}

// colours makes the style of a page of the company's colour: text on it is black or white,
// whichever can be read better, and where it hardly differs from the white page, it gets a
// dark edge.
func colours(colour string) template.CSS {
	r, g, b, ok := rgb(colour)
	if !ok {
		return ""
	}
	light := luminance(r, g, b)
	text, edge := "#fff", "transparent"
	if contrast(light, 1) < contrast(light, 0) {
		text = "#000"
	}
	if contrast(light, 1) < 3 {
		edge = "#555"
	}
	return template.CSS(fmt.Sprintf(":root{--brand:#%02x%02x%02x;--on-brand:%s;--brand-edge:%s}", r, g, b, text, edge)) //nolint:gosec // made of numbers
}

// render writes a page. What may load and where forms may go is said in its head: nothing
// but the style sheet, the logo, the style of the company's colour, and the script of the
// upload page.
func (p *Pages) render(w http.ResponseWriter, status int, v view) {
	var b bytes.Buffer
	if err := templates[v.Template].ExecuteTemplate(&b, "frame.html", v); err != nil {
		panic(err) // only our own values come here
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Words.Lang)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	h.Set("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", policy(v))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client is gone
}

func policy(v view) string {
	styles := "'self'"
	if c := v.Colours(); c != "" {
		sum := sha256.Sum256([]byte(c))
		styles += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	forms := "'none'"
	if v.Form {
		forms = "'self'"
	}
	frames := "*"
	if v.Account != nil && len(v.Account.Embedding.Origins) > 0 {
		frames = strings.Join(v.Account.Embedding.Origins, " ")
	}
	scripts := ""
	if v.Script() != "" {
		scripts = "; script-src 'self'; connect-src 'self'"
	}
	return "default-src 'none'; style-src " + styles + scripts + "; img-src data:; form-action " + forms + "; base-uri 'none'; frame-ancestors " + frames
}

// rgb reads a colour as company files have them.
func rgb(colour string) (r, g, b uint8, ok bool) {
	hexes := strings.TrimPrefix(colour, "#")
	if len(hexes) == 3 {
		hexes = string([]byte{hexes[0], hexes[0], hexes[1], hexes[1], hexes[2], hexes[2]})
	}
	raw, err := hex.DecodeString(hexes)
	if err != nil || len(raw) != 3 {
		return 0, 0, 0, false
	}
	return raw[0], raw[1], raw[2], true
}

// offered are the languages of the account that there are pages in; without one of them, or
// without an account, all that there are.
func offered(a *account.Account) []string {
	if a == nil {
		return languages
	}
	var list []string
	for _, l := range a.Languages {
		if _, ok := texts[l]; ok {
			list = append(list, l)
		}
	}
	if len(list) == 0 {
		return languages
	}
	return list
}
