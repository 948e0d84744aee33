package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// IsTimestamp says whether the content is a TSTInfo.
func (d *SignedData) IsTimestamp() bool { return d.ContentType == oidTSTInfo }

// Parse reads a SignedData in DER or BER of at most 16 MiB. Zero bytes may stand behind it,
// as PDF pads with them, nothing else.
func Parse(b []byte) (*SignedData, error) {
	out, taken, err := toDER(b)
	if err != nil {
		return nil, fmt.Errorf("reading a CMS message: %w", err)
	}
	if len(bytes.Trim(b[taken:], "\x00")) > 0 {
		return nil, errors.New("reading a CMS message: something stands behind it")
	}
	d := &SignedData{DER: out, WasBER: !bytes.Equal(out, b[:taken])}
	if err := d.parse(out); err != nil {
		return nil, fmt.Errorf("reading a CMS message: %w", err)
	}
	return d, nil
}

func (d *SignedData) parse(b []byte) error {
	message := (&reader{rest: b}).into(tagSequence, "the message")
	if kind := message.oid("its type"); message.err == nil && kind != oidSignedData {
		return fmt.Errorf("it is %s, not signed data", kind)
	}
	explicit := message.into(tagContext|tagConstructed, "signed data")
	data := explicit.into(tagSequence, "signed data")
	d.Version = data.small("the version")
	data.take(tagSet, "the list of digests") // what counts stands with the signers
	inner := data.into(tagSequence, "the content")
	d.ContentType = inner.oid("the content's type")
	if inner.more() {
		wrapped := inner.into(tagContext|tagConstructed, "the content")
		if e := wrapped.any(); e.tag == tagOctets {
			d.Content = e.body
		} else { // PKCS #7 1.5 allowed any type
			d.Content = e.all
		}
		if err := wrapped.end("the content"); err != nil {
			return err
		}
	}
	if err := inner.end("the content"); err != nil {
		return err
	}
	if data.at(tagContext | tagConstructed) {
		if err := d.parseCertificates(data.any().body); err != nil {
			return err
		}
	}
	if data.at(tagContext | tagConstructed | 1) {
		if err := d.parseRevocations(data.any().body); err != nil {
			return err
		}
	}
	if err := d.parseSigners(data.into(tagSet, "the signers")); err != nil {
		return err
	}
	return errors.Join(data.end("signed data"), explicit.end("the message"), message.end("the message"))
}

func (d *SignedData) parseCertificates(b []byte) error {
	r := &reader{rest: b}
	for n := 0; r.more(); n++ {
		if n == maxCertificates {
			return errors.New("it carries too many certificates")
		}
		e := r.any()
		if e.tag != tagSequence { // attribute certificates and worse
			continue
		}
		if c, err := x509.ParseCertificate(e.all); err == nil {
			d.Certificates = append(d.Certificates, c)
		} else {
			d.Unread = append(d.Unread, e.all)
		}
	}
	return r.err
}

func (d *SignedData) parseRevocations(b []byte) error {
	r := &reader{rest: b}
	for n := 0; r.more(); n++ {
		if n == maxCertificates {
			return errors.New("it carries too much revocation data")
		}
		switch e := r.any(); e.tag {
		case tagSequence:
			d.CRLs = append(d.CRLs, e.all)
		case tagContext | tagConstructed | 1: // RFC 5940
			other := &reader{rest: e.body}
			if kind := other.oid("the form of revocation data"); kind == oidOCSPResponse {
				d.OCSPs = append(d.OCSPs, other.take(tagSequence, "an OCSP response").all)
			}
			if other.err != nil {
				return other.err
			}
		}
	}
	return r.err
}

func (d *SignedData) parseSigners(r *reader) error {
	for r.more() {
		if len(d.Signers) == maxSigners {
			return errors.New("it has too many signers")
		}
		s, err := d.parseSigner(r.into(tagSequence, "a signer"))
		if err != nil {
			return err
		}
		d.Signers = append(d.Signers, s)
	}
	if r.err == nil && len(d.Signers) == 0 {
		return errors.New("nobody signed it")
	}
	return r.err
}

func (d *SignedData) parseSigner(r *reader) (*Signer, error) {
	s := &Signer{Version: r.small("a signer's version"), wanted: d.ContentType}
	if r.at(tagContext) {
		s.SubjectKeyID = r.any().body
	} else {
		id := r.into(tagSequence, "the signer's certificate")
		s.Issuer = id.take(tagSequence, "the issuer").all
		s.Serial = id.integer("the serial number")
		if err := id.end("the signer's certificate"); err != nil {
			return nil, err
		}
	}
	s.Hash, s.HashName = r.hash("the digest")
	if r.at(tagContext | tagConstructed) {
		e := r.any()
		s.signedDER = der(tagSet, e.body)
		var err error
		if s.Signed, err = attributes(e.body); err != nil {
			return nil, err
		}
	}
	r.signature(s)
	s.Signature = r.take(tagOctets, "the signature").body
	if r.at(tagContext | tagConstructed | 1) {
		var err error
		if s.Unsigned, err = attributes(r.any().body); err != nil {
			return nil, err
		}
	}
	if err := r.end("a signer"); err != nil {
		return nil, err
	}
	s.Certificate = d.certificate(s)
	return s, s.read()
}

// certificate finds the one that the signer names.
func (d *SignedData) certificate(s *Signer) *x509.Certificate {
	for _, c := range d.Certificates {
		if s.Serial != nil && c.SerialNumber.Cmp(s.Serial) == 0 && bytes.Equal(c.RawIssuer, s.Issuer) ||
			len(s.SubjectKeyID) > 0 && bytes.Equal(c.SubjectKeyId, s.SubjectKeyID) {
			return c
		}
	}
	return nil
}

func attributes(b []byte) (all []Attribute, err error) {
	r := &reader{rest: b}
	for r.more() {
		if len(all) == maxAttributes {
			return nil, errors.New("a signer has too many attributes")
		}
		one := r.into(tagSequence, "an attribute")
		a := Attribute{}
		a.Type = one.oid("an attribute's type")
		values := one.into(tagSet, "an attribute's values")
		for values.more() {
			if len(a.Values) == maxAttributes {
				return nil, errors.New("an attribute has too many values")
			}
			a.Values = append(a.Values, values.any().all)
		}
		if err := errors.Join(values.err, one.end("an attribute")); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, r.err
}

// read takes from the attributes what is known. An attribute that must be there once and is
// there twice makes the message unreadable: which one would count?
func (s *Signer) read() error {
	seen := map[string]bool{}
	for _, a := range s.Signed {
		key := a.Type
		if seen[key] {
			return fmt.Errorf("the signed attribute %s is there twice", key)
		}
		seen[key] = true
		if err := s.readSigned(a); err != nil {
			return fmt.Errorf("reading the signed attribute %s: %w", key, err)
		}
	}
	for _, a := range s.Unsigned {
		if a.Type == oidTimeStampToken {
			s.Timestamps = append(s.Timestamps, a.Values...)
		}
	}
	return nil
}

func (s *Signer) readSigned(a Attribute) error {
	known := map[string]func(r *reader) error{
		oidContentType: func(r *reader) error { s.ContentType = r.oid("the content's type"); return r.err },
		oidMessageDigest: func(r *reader) error {
			s.MessageDigest = r.take(tagOctets, "the digest").body
			return r.err
		},
		oidSigningTime: func(r *reader) (err error) { s.SigningTime, err = signingTime(r.any()); return err },
		oidSignaturePolicy: func(r *reader) error {
			if r.at(tagNull) { // implied
				return nil
			}
			policy := r.into(tagSequence, "the policy")
			s.Policy = policy.oid("the policy")
			return policy.err
		},
		oidSigningCertificate:   func(r *reader) error { return s.readCertificateIDs(r, false) },
		oidSigningCertificateV2: func(r *reader) error { return s.readCertificateIDs(r, true) },
		oidAdobeRevocation:      s.readRevocations,
	}[a.Type]
	if known == nil {
		return nil
	}
	if len(a.Values) != 1 {
		return fmt.Errorf("it has %d values", len(a.Values))
	}
	return known(&reader{rest: a.Values[0]})
}

func signingTime(e element) (time.Time, error) {
	if e.tag != tagUTCTime && e.tag != tagTime {
		return time.Time{}, errors.New("it is no time")
	}
	if e.tag == tagTime {
		return generalized(string(e.body))
	}
	for _, layout := range []string{"060102150405Z", "0601021504Z", "060102150405-0700"} {
		if t, err := time.Parse(layout, string(e.body)); err == nil {
			if t.Year() >= 2050 { // RFC 5280: 50 to 99 are of the last century
				t = t.AddDate(-100, 0, 0)
			}
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("it is no time")
}

// generalized reads a GeneralizedTime, fractions too.
func generalized(s string) (time.Time, error) {
	s = strings.Replace(s, ",", ".", 1)
	for _, layout := range []string{"20060102150405.999999999Z", "20060102150405.999999999-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("it is no time")
}

// readCertificateIDs reads SigningCertificate or SigningCertificateV2. One of the second
// kind comes before one of the first, whatever their order.
func (s *Signer) readCertificateIDs(r *reader, v2 bool) error {
	if len(s.CertificateID) > 0 && s.CertificateID[0].V2 {
		return nil
	}
	outer := r.into(tagSequence, "the attribute")
	list := outer.into(tagSequence, "the list of certificates")
	var all []CertificateID
	for list.more() && len(all) < maxCertificates {
		one := list.into(tagSequence, "a certificate's name")
		id := CertificateID{Hash: crypto.SHA1, V2: v2}
		if v2 {
			id.Hash = crypto.SHA256
			if one.at(tagSequence) {
				id.Hash, _ = one.hash("the hash")
			}
		}
		id.Digest = one.take(tagOctets, "the hash").body
		if one.at(tagSequence) {
			issuer := one.into(tagSequence, "the issuer and the number")
			names := issuer.into(tagSequence, "the issuer")
			if names.at(tagContext | tagConstructed | 4) {
				id.Issuer = names.any().body
			}
			id.Serial = issuer.integer("the serial number")
			if issuer.err != nil {
				return issuer.err
			}
		}
		if one.err != nil {
			return one.err
		}
		all = append(all, id)
	}
	if list.err != nil {
		return list.err
	}
	s.CertificateID = all
	return nil
}

// readRevocations reads RevocationInfoArchival as Adobe's signers write it.
func (s *Signer) readRevocations(r *reader) error {
	archive := r.into(tagSequence, "the archive")
	for archive.more() {
		e := archive.any()
		inside := (&reader{rest: e.body}).into(tagSequence, "the archive's list")
		for n := 0; inside.more(); n++ {
			if n == maxCertificates {
				return errors.New("it carries too much")
			}
			switch one := inside.any(); e.tag {
			case tagContext | tagConstructed:
				s.CRLs = append(s.CRLs, one.all)
			case tagContext | tagConstructed | 1:
				s.OCSPs = append(s.OCSPs, one.all)
			}
		}
		if inside.err != nil {
			return inside.err
		}
	}
	return archive.err
}
