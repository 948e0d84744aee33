package gateway

import (
	"io"
	"mime"
	"net/http"
	"strconv"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/server/web"
	"vidimus/internal/service/signing"
)

// upload returns the body of a request that is a file. Whatever the Content-Type says of it
// is not looked at, but a form is no file. It may take its time, as long as something comes.
// A length that is too large is refused before anything is read.
func upload(w http.ResponseWriter, r *http.Request) (io.Reader, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		return nil, fault.New(fault.UnsupportedContent, "Send the file itself as the body, not a form").In("Content-Type")
	}
	if r.ContentLength > esign.MaxFile {
		return nil, fault.New(fault.TooLarge, "A document has at most %d bytes", esign.MaxFile)
	}
	return web.Patiently(w, r), nil
}

// sendDocument hands out a file of an identification, which the trail knows of before it
// leaves. A HEAD hands nothing out.
func (g *Gateway) sendDocument(w http.ResponseWriter, r *http.Request, i ident.Identification, id esign.Identifier, c *signing.Content, signed bool) error {
	if r.Method != http.MethodHead {
		if err := g.Signing.Fetched(r.Context(), i, id, signed); err != nil {
			return err
		}
	}
	name := fileName(id, c.MIMEType)
	if signed {
		name = esign.SignedName(id)
	}
	return g.sendFile(w, r, name, c)
}

// sendFile writes a file. Once bytes have left, a failure breaks the connection off: the
// length was announced, so that the client sees that the file is not whole.
func (g *Gateway) sendFile(w http.ResponseWriter, r *http.Request, name string, c *signing.Content) error {
	h := w.Header()
	h.Set("Content-Type", c.MIMEType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Length", strconv.FormatInt(c.Size, 10))
	if r.Method == http.MethodHead {
		return nil
	}
	out := &counted{w: w}
	err := c.WriteTo(r.Context(), out)
	if err != nil && out.n > 0 {
		web.FactsOf(r.Context()).Error = err
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		h.Del("Content-Disposition")
		h.Del("Content-Length")
	}
	return err
}

// fileName is what a browser would save a document as.
func fileName(id esign.Identifier, mimeType string) string {
	if esign.IsPDF(mimeType) {
		return string(id) + ".pdf"
	}
	return string(id)
}

// counted counts what was written.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
