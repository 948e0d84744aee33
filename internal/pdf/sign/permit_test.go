package sign_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strconv"
	"strings"
	"testing"

	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/pdf/sign"
)

// fieldsPDF is a file with a signature field for each entry: its dictionary without the name,
// which is s0, s1 and so on.
func fieldsPDF(fields ...string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(text string) {
		offsets = append(offsets, b.Len())
		b.WriteString(strconv.Itoa(len(offsets)) + " 0 obj\n" + text + "\nendobj\n")
	}
	b.WriteString("%PDF-1.7\n")
	var refs []string
	for n := range fields {
		refs = append(refs, strconv.Itoa(n+4)+" 0 R")
	}
	list := "[" + strings.Join(refs, " ") + "]"
	object("<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields" + list + ">>>>")
	object("<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots" + list + ">>")
	for n, f := range fields {
		object("<</Type/Annot/Subtype/Widget/FT/Sig/T(s" + strconv.Itoa(n) + ")/Rect[50 " + strconv.Itoa(100*n+50) + " 250 " + strconv.Itoa(100*n+85) + "]/P 3 0 R" + f + ">>")
	}
	at := b.Len()
	b.WriteString("xref\n0 " + strconv.Itoa(len(offsets)+1) + "\n0000000000 65535 f \n")
	for _, o := range offsets {
		b.WriteString(strings.Repeat("0", 10-len(strconv.Itoa(o))) + strconv.Itoa(o) + " 00000 n \n")
	}
	b.WriteString("trailer\n<</Size " + strconv.Itoa(len(offsets)+1) + "/Root 1 0 R>>\nstartxref\n" + strconv.Itoa(at) + "\n%%EOF\n")
	return b.Bytes()
}

func at(signature, field string) esign.Spot {
	return esign.Spot{Signature: signature, Page: 1, X: 50, Y: 50, W: 200, H: 35, Field: field}
}

func TestEarlierSignaturesDecideWhatIsAllowed(t *testing.T) {
	a := newAuthority(t)
	for name, c := range map[string]struct {
		lock string // of the field that is signed first
		then []esign.Spot
		kind fault.Kind
		key  string
	}{
		"one place":                        {"", []esign.Spot{at("x", "")}, 0, ""},
		"one field":                        {"", []esign.Spot{at("x", "s1")}, 0, ""},
		"no place":                         {"", nil, 0, ""},
		"two places":                       {"", []esign.Spot{at("x", "s1"), at("y", "")}, fault.Precondition, "y"},
		"locked for good":                  {"/Lock<</Type/SigFieldLock/Action/All/P 1>>", nil, fault.Invalid, ""},
		"all fields are locked":            {"/Lock<</Type/SigFieldLock/Action/All>>", []esign.Spot{at("x", "s1")}, fault.Precondition, "x"},
		"this field is locked":             {"/Lock<</Type/SigFieldLock/Action/Include/Fields[(s1)]>>", []esign.Spot{at("x", "s1")}, fault.Precondition, "x"},
		"another is locked":                {"/Lock<</Type/SigFieldLock/Action/Include/Fields[(s)]>>", []esign.Spot{at("x", "s1")}, 0, ""},
		"all but this one are":             {"/Lock<</Type/SigFieldLock/Action/Exclude/Fields[(s1)]>>", []esign.Spot{at("x", "s1")}, 0, ""},
		"all but another are":              {"/Lock<</Type/SigFieldLock/Action/Exclude/Fields[(s2)]>>", []esign.Spot{at("x", "s1")}, fault.Precondition, "x"},
		"changes of forms are still right": {"/Lock<</Type/SigFieldLock/Action/Include/Fields[(s2)]/P 2>>", []esign.Spot{at("x", "s1")}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			first, err := sign.Sign(t.Context(), fieldsPDF(c.lock, ""), request(sign.BB, sign.Place{Spot: at("first", "s0"), Appearance: box{200, 35}}), a)
			if err != nil {
				t.Fatal(err)
			}
			var places []sign.Place
			for _, s := range c.then {
				places = append(places, sign.Place{Spot: s, Appearance: box{200, 35}})
			}
			early := sign.CheckPlaces(first, c.then)
			second, err := sign.Sign(t.Context(), first, request(sign.BB, places...), a)
			if c.kind == 0 {
				if err != nil || early != nil {
					t.Fatalf("%v; when it is uploaded: %v", err, early)
				}
				valid(t, judged(t, second, nil), 2)
				return
			}
			for _, err := range []error{err, early} {
				if e, ok := errors.AsType[*fault.Error](err); !ok || e.Kind != c.kind || e.Key != c.key {
					t.Errorf("%v", err)
				}
			}
			if second != nil {
				t.Error("it was signed all the same")
			}
		})
	}
}

// wordy is an authority whose time-stamps are larger than anybody reckons with: they carry a
// certificate of so many bytes more.
type wordy struct {
	*authority
	chain  [][]byte
	stamps int
}

func (w *wordy) Timestamp(_ context.Context, digest []byte) ([]byte, error) {
	w.stamps++
	return w.token(digest, w.chain)
}

func TestLargeTimestampsGetTheRoomThatTheyNeed(t *testing.T) {
	a := newAuthority(t)
	for name, c := range map[string]struct {
		extra, stamps int // of B-LTA: two time-stamps, each fetched again where there is no room
		fails         bool
	}{"usual": {0, 2, false}, "large": {40 << 10, 4, false}, "far too large": {300 << 10, 1, true}} {
		t.Run(name, func(t *testing.T) {
			w := &wordy{authority: a, chain: [][]byte{a.stamper.Raw, a.root.Raw}}
			if c.extra > 0 {
				w.chain = append(w.chain, large(t, a, c.extra))
			}
			out, err := sign.Sign(t.Context(), pdfOf(1000), request(sign.BLTA), w)
			if w.stamps != c.stamps || (err != nil) != c.fails {
				t.Fatalf("%d time-stamps, %v", w.stamps, err)
			}
			if c.fails {
				if fault.Is(err, fault.Invalid) || out != nil {
					t.Errorf("%d bytes, %v", len(out), err)
				}
				return
			}
			valid(t, judged(t, out, nil), 1)
		})
	}
}

// large is a certificate with a comment of so many bytes.
func large(t *testing.T, a *authority, size int) []byte {
	t.Helper()
	comment := make([]byte, size)
	if _, err := rand.Read(comment); err != nil {
		t.Fatal(err)
	}
	return certify(t, wide(comment), a.root, a.key.Public(), a.rootKey).Raw
}

func wide(comment []byte) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: "Wordy"}, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: comment}}}
}
