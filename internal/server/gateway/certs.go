package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"slices"

	"vidimus/internal/domain/fault"
)

// keyFile is the public key of XML results (13.3.1); keyAliases are the names that the
// specification prints for the two environments.
const keyFile = "results_signing.pem"

// auditKeyFile is the public key of checkpoints of the audit trail.
const auditKeyFile = "audit_signing.pem"

var keyAliases = []string{"idnow_signing_test_20171004.pem", "idnow_signing_20171018.pem"}

var certificatesPage = template.Must(template.New("certs").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Certificates and keys</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
h1{font-size:1.5rem}dt{font-weight:600;margin-top:1rem}dd{margin:0}code{font-size:.875rem;overflow-wrap:anywhere}a{color:#0b5cad}</style></head>
<body><h1>Certificates and keys of this installation</h1>
<dl>{{range .}}<dt><a href="/assets/certs/{{.Name}}">{{.Name}}</a></dt><dd>{{.Use}}</dd><dd>SHA-256 <code>{{.Sum}}</code></dd>{{end}}</dl>
</body></html>
`))

// PublicKey is a public key that the page of certificates offers beside our own.
type PublicKey struct {
	File string // its name on the page
	Use  string
	Text string
}

// publicKeys returns the keys of other servers of the installation.
func (g *Gateway) publicKeys(ctx context.Context) ([]PublicKey, error) {
	if g.PublicKeys == nil {
		return nil, nil
	}
	return g.PublicKeys(ctx)
}

// certificates lists every certificate and key with its SHA-256.
func (g *Gateway) certificates(w http.ResponseWriter, r *http.Request) {
	g.handle(func(w http.ResponseWriter, r *http.Request) error {
		key, err := g.Publish.SigningKey(r.Context())
		if err != nil {
			return err
		}
		auditKey, err := g.Trail.SigningKey(r.Context())
		if err != nil {
			return err
		}
		more, err := g.publicKeys(r.Context())
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		type entry struct{ Name, Use, Sum string }
		all := []entry{
			{keyFile, "Public key of XML results: RSA, SHA-512, PKCS #1 v1.5", fmt.Sprintf("%x", sha256.Sum256([]byte(key)))},
			{auditKeyFile, "Public key of the audit trail's checkpoints: Ed25519", fmt.Sprintf("%x", sha256.Sum256([]byte(auditKey)))},
		}
		for _, k := range more {
			all = append(all, entry{k.File, k.Use, fmt.Sprintf("%x", sha256.Sum256([]byte(k.Text)))})
		}
		return certificatesPage.Execute(w, all)
	})(w, r)
}

func (g *Gateway) certificate(w http.ResponseWriter, r *http.Request) {
	g.handle(func(w http.ResponseWriter, r *http.Request) error {
		name := pathValue(r, "file")
		read := g.Publish.SigningKey
		switch {
		case name == auditKeyFile:
			read = g.Trail.SigningKey
		case name != keyFile && !slices.Contains(keyAliases, name):
			return g.otherKey(w, r, name)
		}
		key, err := read(r.Context())
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/x-pem-file")
		_, _ = io.WriteString(w, key) // the client is gone
		return nil
	})(w, r)
}

// otherKey answers the public key of another server of the installation.
func (g *Gateway) otherKey(w http.ResponseWriter, r *http.Request, name string) error {
	all, err := g.publicKeys(r.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(k PublicKey) bool { return k.File == name })
	if i < 0 {
		return fault.Of(fault.NotFound)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, all[i].Text) // the client is gone
	return nil
}
