package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"html/template"
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
<dl>{{range .Files}}<dt><a href="/assets/certs/{{.Name}}">{{.Name}}</a></dt><dd>{{.Use}}</dd><dd>SHA-256 <code>{{.Sum}}</code></dd>{{end}}</dl>
{{if .OCSP}}<p>Whether a certificate of the trust service is revoked is asked by OCSP (RFC 6960) at <code>{{.OCSP}}</code>, a time-stamp (RFC 3161) at <code>{{.TSA}}</code>.
It is this installation's own trust service, and not a qualified one: trust its root if you trust who runs it.</p>{{end}}
</body></html>
`))

// Published is a certificate, a revocation list or a key that the page of certificates offers
// beside our own keys.
type Published struct {
	Name        string // its file's
	Use         string
	ContentType string
	Bytes       []byte
}

const pemType = "application/x-pem-file"

// ownKeys are the keys that sign results and checkpoints, the page's first.
func (g *Gateway) ownKeys(ctx context.Context) ([]Published, error) {
	key, err := g.Publish.SigningKey(ctx)
	if err != nil {
		return nil, err
	}
	auditKey, err := g.Trail.SigningKey(ctx)
	if err != nil {
		return nil, err
	}
	return []Published{
		{keyFile, "Public key of XML results: RSA, SHA-512, PKCS #1 v1.5", pemType, []byte(key)},
		{auditKeyFile, "Public key of the audit trail's checkpoints: Ed25519", pemType, []byte(auditKey)},
	}, nil
}

// published lists what other parts of the installation publish.
func (g *Gateway) published(ctx context.Context) ([]Published, error) {
	if g.Published == nil {
		return nil, nil
	}
	return g.Published(ctx)
}

// certificates lists every certificate, list and key with its SHA-256.
func (g *Gateway) certificates(w http.ResponseWriter, r *http.Request) {
	g.handle(func(w http.ResponseWriter, r *http.Request) error {
		all, err := g.ownKeys(r.Context())
		if err != nil {
			return err
		}
		more, err := g.published(r.Context())
		if err != nil {
			return err
		}
		type entry struct{ Name, Use, Sum string }
		var page struct {
			Files     []entry
			OCSP, TSA string // empty: there is no trust service of our own
		}
		for _, f := range append(all, more...) {
			page.Files = append(page.Files, entry{f.Name, f.Use, fmt.Sprintf("%x", sha256.Sum256(f.Bytes))})
		}
		if g.Trust != nil {
			page.OCSP, page.TSA = ocspPath, stampPath
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
		return certificatesPage.Execute(w, page)
	})(w, r)
}

// certificate answers one of them by its name. Our own keys wait for nothing else.
func (g *Gateway) certificate(w http.ResponseWriter, r *http.Request) {
	g.handle(func(w http.ResponseWriter, r *http.Request) error {
		name := pathValue(r, "file")
		read := g.published
		if slices.Contains(keyAliases, name) {
			name = keyFile
		}
		if name == keyFile || name == auditKeyFile {
			read = g.ownKeys
		}
		all, err := read(r.Context())
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(f Published) bool { return f.Name == name })
		if i < 0 {
			return fault.Of(fault.NotFound)
		}
		w.Header().Set("Content-Type", all[i].ContentType)
		_, _ = w.Write(all[i].Bytes) // the client is gone
		return nil
	})(w, r)
}
