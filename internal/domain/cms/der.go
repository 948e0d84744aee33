package cms

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// The tags in use.
const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagBits        = 0x03
	tagOctets      = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagEnumerated  = 0x0a
	tagUTF8        = 0x0c
	tagUTCTime     = 0x17
	tagTime        = 0x18 // GeneralizedTime
	tagSequence    = 0x30
	tagSet         = 0x31
	tagConstructed = 0x20
	tagContext     = 0x80
)

var null = []byte{tagNull, 0}

// The object identifiers in use.
const (
	oidData                 = "1.2.840.113549.1.7.1"
	oidSignedData           = "1.2.840.113549.1.7.2"
	oidContentType          = "1.2.840.113549.1.9.3"
	oidMessageDigest        = "1.2.840.113549.1.9.4"
	oidSigningTime          = "1.2.840.113549.1.9.5"
	oidTSTInfo              = "1.2.840.113549.1.9.16.1.4"
	oidSigningCertificate   = "1.2.840.113549.1.9.16.2.12"
	oidTimeStampToken       = "1.2.840.113549.1.9.16.2.14"
	oidSignaturePolicy      = "1.2.840.113549.1.9.16.2.15"
	oidSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47"
	oidAdobeRevocation      = "1.2.840.113583.1.1.8"
	oidOCSPResponse         = "1.3.6.1.5.5.7.16.2"

	oidSHA256          = "2.16.840.1.101.3.4.2.1"
	oidRSA             = "1.2.840.113549.1.1.1"
	oidMGF1            = "1.2.840.113549.1.1.8"
	oidECDSAWithSHA256 = "1.2.840.10045.4.3.2"
)

// oid writes an object identifier that is known to be one.
func oid(dotted string) []byte {
	b, err := parseOID(dotted)
	if err != nil { // a programmer's mistake
		panic(err)
	}
	return b
}

func parseOID(dotted string) ([]byte, error) {
	id, err := x509.ParseOID(dotted)
	if err != nil {
		return nil, fmt.Errorf("%q is no object identifier", dotted)
	}
	b, err := id.MarshalBinary()
	return der(tagOID, b), err
}

// der is an element with that tag and the parts as its content.
func der(tag byte, parts ...[]byte) []byte {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	b := appendHead(make([]byte, 0, size+6), tag, size)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func appendHead(b []byte, tag byte, size int) []byte {
	b = append(b, tag)
	if size < 0x80 {
		return append(b, byte(size)) //nolint:gosec // G115: it is less than 128
	}
	bytes := 1
	for size>>(8*bytes) != 0 {
		bytes++
	}
	b = append(b, 0x80|byte(bytes))
	for n := bytes - 1; n >= 0; n-- {
		b = append(b, byte(size>>(8*n))) //nolint:gosec // G115: one byte of it is wanted
	}
	return b
}

// set is a SET OF with its elements in the order of DER.
func set(tag byte, elements ...[]byte) []byte {
	elements = slices.Clone(elements)
	slices.SortFunc(elements, bytes.Compare)
	return der(tag, elements...)
}

func number(n int64) []byte { return integer(big.NewInt(n)) }

func integer(n *big.Int) []byte {
	b, err := asn1.Marshal(n)
	if err != nil { // only nil is refused
		panic(err)
	}
	return b
}

// element is one element of DER: all of it, and its content.
type element struct {
	tag       byte
	all, body []byte
}

var errCut = errors.New("an element is cut short or has a wrong length")

// reader takes the elements of some content one after the other. The first mistake stays.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// more says whether there is another element.
func (r *reader) more() bool { return r.err == nil && len(r.rest) > 0 }

// at says whether the next element has that tag.
func (r *reader) at(tag byte) bool { return r.more() && r.rest[0] == tag }

// any takes the next element.
func (r *reader) any() element {
	e, rest, err := split(r.rest)
	if err == nil {
		r.rest = rest
		return e
	}
	r.fail(err)
	return element{}
}

// take takes the next element, which must have that tag.
func (r *reader) take(tag byte, what string) element {
	if !r.at(tag) {
		r.fail(fmt.Errorf("%s is missing or of another type", what))
		return element{}
	}
	return r.any()
}

// into takes the next element, which must have that tag, and reads its content.
func (r *reader) into(tag byte, what string) *reader {
	e := r.take(tag, what)
	return &reader{rest: e.body, err: r.err}
}

// end fails unless everything was taken.
func (r *reader) end(what string) error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail(fmt.Errorf("there is more in %s than belongs there", what))
	}
	return r.err
}

func (r *reader) integer(what string) *big.Int {
	e := r.take(tagInteger, what)
	n := new(big.Int)
	if r.err != nil {
		return n
	}
	if _, err := asn1.Unmarshal(e.all, &n); err != nil {
		r.fail(fmt.Errorf("%s is no number", what))
		return new(big.Int)
	}
	return n
}

func (r *reader) small(what string) int {
	n := r.integer(what)
	if !n.IsInt64() || n.Int64() < 0 || n.Int64() > 1<<20 {
		r.fail(fmt.Errorf("%s is out of range", what))
		return 0
	}
	return int(n.Int64())
}

// oid takes an object identifier, as numbers with dots: some have more than 64 bits.
func (r *reader) oid(what string) string {
	e := r.take(tagOID, what)
	var id x509.OID
	if r.err != nil {
		return ""
	}
	if err := id.UnmarshalBinary(e.body); err != nil || len(e.body) > 64 {
		r.fail(fmt.Errorf("%s is no object identifier", what))
		return ""
	}
	return id.String()
}

// split cuts the first element off. Lengths are definite; tags have one byte.
func split(b []byte) (e element, rest []byte, err error) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return element{}, nil, errCut
	}
	head, size := 2, int(b[1])
	if size >= 0x80 {
		bytes := size & 0x7f
		if bytes == 0 || bytes > 4 || len(b) < 2+bytes {
			return element{}, nil, errCut
		}
		size = 0
		for _, c := range b[2 : 2+bytes] {
			size = size<<8 | int(c)
		}
		head += bytes
	}
	if size < 0 || size > len(b)-head {
		return element{}, nil, errCut
	}
	all := b[: head+size : head+size]
	return element{tag: b[0], all: all, body: all[head:]}, b[head+size:], nil
}
