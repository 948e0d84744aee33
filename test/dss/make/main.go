// Command make has our signer and our built-in authority sign documents in every way that
// they can, for validators that are not ours: test/dss/verify.sh shows them the files and
// what the manifest claims of each.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/keys"
	"vidimus/internal/pdf/sign"
	"vidimus/internal/trust/ca"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: make FOLDER [PDF...]")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "make:", err)
		os.Exit(1)
	}
}

// claim is one line of the manifest; check.py says what its fields mean.
type claim struct {
	File       string   `json:"file"`
	Level      string   `json:"level"`
	Signatures int      `json:"signatures"`
	Roots      []string `json:"roots"`
	CRLs       []string `json:"crls"`
	Expect     string   `json:"expect"`
}

// maker signs into a folder.
type maker struct {
	folder    string
	authority *ca.Authority
	claims    []claim
}

func run(ctx context.Context, folder string, more []string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil { //nolint:gosec // the folder that the caller names
		return err
	}
	master, err := keys.OpenMaster(filepath.Join(folder, "master.key"))
	if err != nil {
		return err
	}
	a, err := ca.Open(ctx, newMemory(), master, clock.New(time.Now, 1), "https://ident.example.com/assets/certs", ca.Config{})
	if err != nil {
		return err
	}
	m := &maker{folder: folder, authority: a}
	if err := m.publish(ctx); err != nil {
		return err
	}
	if err := m.all(ctx, more); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m.claims, "", " ")
	if err != nil {
		return err
	}
	return m.write("manifest.json", text)
}

func (m *maker) write(name string, b []byte) error {
	return os.WriteFile(filepath.Join(m.folder, name), b, 0o600) //nolint:gosec // likewise
}

// publish writes what a validator is given: the root, and the lists for the levels that bring
// none along.
func (m *maker) publish(ctx context.Context) error {
	root, issuing, err := m.authority.CRL(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		m.write("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.authority.Root()})),
		m.write("root.crl", root), m.write("issuing.crl", issuing),
	)
}

var levels = map[sign.Level]string{sign.BB: "B-B", sign.BT: "B-T", sign.BLT: "B-LT", sign.BLTA: "B-LTA"}

// all signs a page of our own at every level, invisible and visible, in turns, into a field
// that is there, and over what others have signed; then each PDF that was named.
func (m *maker) all(ctx context.Context, more []string) error {
	plain, field := page(""), page(" /FT /Sig /T (here)")
	visible := []sign.Place{{Spot: esign.Spot{Signature: "s", Page: 1, X: 70, Y: 100, W: 250, H: 35}, Appearance: frame{}}}
	several := append(slices.Clone(visible), sign.Place{Spot: esign.Spot{Signature: "s", Page: 1, X: 70, Y: 300, W: 250, H: 35}, Appearance: frame{}})
	existing := []sign.Place{{Spot: esign.Spot{Signature: "s", Page: 1, X: 70, Y: 700, W: 250, H: 35, Field: "here"}, Appearance: frame{}}}
	for _, level := range []sign.Level{sign.BB, sign.BT, sign.BLT, sign.BLTA} {
		name := levels[level]
		first, err := m.sign(ctx, "invisible-"+name, plain, level, nil, 1)
		if err != nil {
			return err
		}
		if _, err := m.sign(ctx, "visible-"+name, plain, level, visible, 1); err != nil {
			return err
		}
		if _, err := m.sign(ctx, "field-"+name, field, level, existing, 1); err != nil {
			return err
		}
		if _, err := m.sign(ctx, "several-places-"+name, plain, level, several, 1); err != nil {
			return err
		}
		two, err := m.sign(ctx, "two-signers-"+name, first, level, visible, 2)
		if err != nil {
			return err
		}
		if _, err := m.sign(ctx, "three-signers-"+name, two, level, nil, 3); err != nil {
			return err
		}
	}
	for _, name := range more {
		content, err := os.ReadFile(name) //nolint:gosec // G304: the caller names it
		if err != nil {
			return err
		}
		base := strings.TrimSuffix(filepath.Base(name), ".pdf")
		for _, level := range []sign.Level{sign.BLT, sign.BLTA} {
			if _, err := m.sign(ctx, base+"-"+levels[level], content, level, nil, 1); fault.Is(err, fault.Invalid) {
				fmt.Fprintf(os.Stderr, "%s is refused: %v\n", base, err)
				break
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// sign has somebody sign a file with a key of their own.
func (m *maker) sign(ctx context.Context, name string, content []byte, level sign.Level, places []sign.Place, signatures int) ([]byte, error) {
	session, err := m.authority.Begin(ctx, ca.Subject{GivenName: "Erika", Surname: "Mustermann", Country: "DE", SerialNumber: "IBA-XVJ7C"})
	if err != nil {
		return nil, err
	}
	out, err := sign.Sign(ctx, content, sign.Request{Level: level, Time: time.Now(), Name: "Erika Mustermann", Reason: "Contract", Places: places, Tool: "Vidimus"}, credential{session})
	if err = errors.Join(err, session.Close()); err != nil {
		return nil, err
	}
	c := claim{File: name + ".pdf", Level: levels[level], Signatures: signatures, Roots: []string{"root.pem"}}
	c.Expect = "pass"
	if signatures == 1 && bytes.Contains(content, []byte("/ByteRange")) {
		c.Expect = "any" // others signed before, whom nobody here trusts
	}
	if level < sign.BLT {
		c.CRLs = []string{"root.crl", "issuing.crl"}
	}
	m.claims = append(m.claims, c)
	return out, m.write(c.File, out)
}

// credential gives a session of the authority the shape that the signer asks for.
type credential struct{ *ca.Session }

func (c credential) Validation(ctx context.Context) (sign.Validation, error) {
	v, err := c.Session.Validation(ctx)
	return sign.Validation(v), err
}

// frame is an appearance: a rectangle.
type frame struct{}

func (frame) Add(_ int, add func(string, []byte) int) int {
	drawing := []byte("0 0 1 RG 1 1 248 33 re S")
	return add(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 250 35] /Resources << >> /Length %d", len(drawing)), drawing)
}

// page is a document of one page, with a field if the text of one is given.
func page(field string) []byte {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>", "<< /Length 18 >>\nstream\n70 500 100 50 re f\nendstream"}
	if field != "" {
		objects[0] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>"
		objects[2] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] >>"
		objects = append(objects, "<< /Type /Annot /Subtype /Widget /Rect [70 700 320 735] /P 3 0 R"+field+" >>")
	}
	var b strings.Builder
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(objects))
	for n, o := range objects {
		at[n] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return []byte(b.String())
}
