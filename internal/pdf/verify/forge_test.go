package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/cms"
)

// noon is when things happen in these tests.
var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// party is a certificate and its key.
type party struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (p party) sign(t *testing.T, digest []byte) []byte {
	t.Helper()
	value, err := ecdsa.SignASN1(rand.Reader, p.key, digest)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// world is a root and who it vouches for.
type world struct {
	t                            *testing.T
	root, signer, tsa, responder party
	serial                       int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.root = w.issue("Root", party{}, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		c.NotAfter = noon.AddDate(20, 0, 0)
	})
	w.signer = w.issue("Signer", w.root, nil)
	w.tsa = w.issue("Stamper", w.root, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		c.NotAfter = noon.AddDate(5, 0, 0)
	})
	w.responder = w.issue("Responder", w.root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })
	return w
}

// issue makes a certificate for a day.
func (w *world) issue(name string, by party, change func(*x509.Certificate)) party {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	w.serial++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(w.serial), Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(23 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(c)
	}
	parent, signing := c, key
	if by.cert != nil {
		parent, signing = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signing)
	if err != nil {
		w.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		w.t.Fatal(err)
	}
	return party{cert, key}
}

// says makes an OCSP answer about a certificate.
func (w *world) says(about party, by party, change func(*ocsp.Response)) []byte {
	w.t.Helper()
	r := ocsp.Response{
		Status: ocsp.Good, SerialNumber: about.cert.SerialNumber, ThisUpdate: noon.Add(-time.Minute), NextUpdate: noon.Add(time.Hour), Certificate: by.cert,
	}
	if by.cert == w.root.cert {
		r.Certificate = nil
	}
	if change != nil {
		change(&r)
	}
	der, err := ocsp.CreateResponse(w.root.cert, by.cert, r, by.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

func (w *world) list(change func(*x509.RevocationList)) []byte {
	w.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon.Add(-time.Minute), NextUpdate: noon.Add(time.Hour)}
	if change != nil {
		change(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, w.root.cert, w.root.key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// message signs a digest, with a time-stamp if stamped is not zero.
func (w *world) message(by party, digest []byte, stamped time.Time) []byte {
	w.t.Helper()
	draft, err := cms.Prepare(digest, [][]byte{by.cert.Raw, w.root.cert.Raw})
	if err != nil {
		w.t.Fatal(err)
	}
	value := by.sign(w.t, draft.Digest())
	var token []byte
	if !stamped.IsZero() {
		sum := sha256.Sum256(value)
		token = w.token(w.tsa, sum[:], stamped)
	}
	out, err := draft.Finish(value, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) token(by party, digest []byte, at time.Time) []byte {
	w.t.Helper()
	q, err := cms.ParseRequest(cms.NewRequest(digest, nil))
	if err != nil {
		w.t.Fatal(err)
	}
	info := q.InfoFor()
	w.serial++
	info.Policy, info.Serial, info.Time = "1.2.3", big.NewInt(w.serial), at
	draft, err := cms.PrepareToken(info, [][]byte{by.cert.Raw, w.root.cert.Raw}, [][]byte{by.cert.Raw})
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := draft.Finish(by.sign(w.t, draft.Digest()), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// pdf is a file that grows by revisions.
type pdf struct {
	t       *testing.T
	data    []byte
	objects map[int]string // as they are now
	prev    int
	size    int
	trailer string
}

// The objects of the page that these tests sign.
const (
	objRoot = iota + 1
	objPages
	objPage
	objContents
	objForm
	objInfo
	objText
	objFree = 90 // none, and one that later revisions do not come to by themselves
)

func newPDF(t *testing.T) *pdf {
	t.Helper()
	p := &pdf{t: t, data: []byte("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), objects: map[int]string{}, prev: -1, trailer: "/Root 1 0 R /Info 6 0 R"}
	p.revise(map[int]string{
		objRoot:     "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>",
		objPages:    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		objPage:     "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [7 0 R] >>",
		objContents: content("0 0 100 100 re f"),
		objForm:     "<< /Fields [7 0 R] >>",
		objInfo:     "<< /Title (A contract) >>",
		objText:     "<< /Type /Annot /Subtype /Widget /FT /Tx /T (amount) /V (100) /Rect [0 0 10 10] /P 3 0 R >>",
	})
	return p
}

func content(s string) string {
	return fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(s), s)
}

// clone lets a file go two ways.
func (p *pdf) clone() *pdf {
	c := *p
	c.data, c.objects = slices.Clone(p.data), maps.Clone(p.objects)
	return &c
}

// revise appends a revision with these objects; it returns where each begins.
func (p *pdf) revise(objects map[int]string) map[int]int {
	b := bytes.NewBuffer(p.data)
	at := map[int]int{}
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		at[n] = b.Len()
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
		p.objects[n] = objects[n]
		p.size = max(p.size, n+1)
	}
	xref := b.Len()
	b.WriteString("xref\n0 1\n0000000000 65535 f \n")
	for _, n := range slices.Sorted(maps.Keys(objects)) {
		fmt.Fprintf(b, "%d 1\n%010d 00000 n \n", n, at[n])
	}
	prev := ""
	if p.prev >= 0 {
		prev = fmt.Sprintf(" /Prev %d", p.prev)
	}
	fmt.Fprintf(b, "trailer\n<< /Size %d %s%s >>\nstartxref\n%d\n%%%%EOF\n", p.size, p.trailer, prev, xref)
	p.data, p.prev = b.Bytes(), xref
	return at
}

// replaced is an object with a part of it written otherwise.
func (p *pdf) replaced(num int, pairs ...string) string {
	p.t.Helper()
	was := p.objects[num]
	is := strings.NewReplacer(pairs...).Replace(was)
	if was == is {
		p.t.Fatalf("object %d has no %q", num, pairs)
	}
	return is
}

// signing is what a signature is to look like.
type signing struct {
	by      party
	field   string
	stamped time.Time
	token   bool   // a document time-stamp
	entries string // further ones of its dictionary
	widget  string // and of its field
	gap     string // what stands in the gap behind the contents
	ranges  func(from, to, end int) [4]int
	hexed   func(string) string
	noValue bool                     // the field does not have it
	message func(data []byte) []byte // over the ranges; nil: as of by
	also    map[int]string
}

const contentsSize = 6000

// sign adds a field with a signature, in one revision.
func (p *pdf) sign(w *world, s signing) {
	p.t.Helper()
	dict, widget := p.size, p.size+1
	p.size += 2
	kind, sub := "Sig", cadesDetached
	if s.token {
		kind, sub = "DocTimeStamp", rfc3161
	}
	hole := "<" + strings.Repeat("0", 2*contentsSize) + ">"
	v := fmt.Sprintf(" /V %d 0 R", dict)
	if s.noValue {
		v = ""
	}
	objects := map[int]string{
		dict: fmt.Sprintf("<< /Type /%s /Filter /Adobe.PPKLite /SubFilter /%s /M (D:20261128120000Z) %s /ByteRange [0 0000000000 0000000000 0000000000] /Contents %s%s >>",
			kind, sub, s.entries, hole, s.gap),
		widget:  fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /F 132 /Rect [0 0 0 0] /P 3 0 R%s %s >>", s.field, v, s.widget),
		objForm: p.replaced(objForm, "[", fmt.Sprintf("[%d 0 R ", widget)),
		objPage: p.replaced(objPage, "/Annots [", fmt.Sprintf("/Annots [%d 0 R ", widget)),
	}
	maps.Copy(objects, s.also)
	p.revise(objects)
	at := bytes.LastIndex(p.data, []byte(hole))
	from, to := at, at+len(hole)+len(s.gap)
	four := [4]int{0, from, to, len(p.data) - to}
	if s.ranges != nil {
		four = s.ranges(from, to, len(p.data))
	}
	place := bytes.LastIndex(p.data, []byte("[0 0000000000"))
	copy(p.data[place:], fmt.Sprintf("[%d %010d %010d %010d]", four[0], four[1], four[2], four[3]))
	h := sha256.New()
	h.Write(p.data[:from])
	h.Write(p.data[to:])
	var message []byte
	if s.message != nil {
		message = s.message(slices.Concat(p.data[:from], p.data[to:]))
	} else if s.token {
		message = w.token(s.by, h.Sum(nil), s.stamped)
	} else {
		message = w.message(s.by, h.Sum(nil), s.stamped)
	}
	text := hex.EncodeToString(message)
	if s.hexed != nil {
		text = s.hexed(text)
	}
	if len(text) > 2*contentsSize {
		p.t.Fatal("the contents do not fit")
	}
	copy(p.data[from+1:], text)
}

// store adds a document security store, in a revision of its own.
func (p *pdf) store(ocsps, crls [][]byte) {
	p.t.Helper()
	objects := map[int]string{}
	put := func(list [][]byte) (refs string) {
		for _, b := range list {
			objects[p.size] = content(string(b))
			refs += fmt.Sprintf("%d 0 R ", p.size)
			p.size++
		}
		return refs
	}
	dss := fmt.Sprintf("<< /Type /DSS /OCSPs [%s] /CRLs [%s] >>", put(ocsps), put(crls))
	if strings.Contains(p.objects[objRoot], "/DSS") {
		p.t.Fatal("one store is enough")
	}
	objects[objRoot] = p.replaced(objRoot, "/AcroForm", fmt.Sprintf("/DSS %d 0 R /AcroForm", p.size))
	objects[p.size] = dss
	p.size++
	p.revise(objects)
}
