package verify

import (
	"crypto"
	_ "crypto/sha1" //nolint:gosec // G505: old signatures of others are over it
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/proof"
)

// The sub-filters that are judged.
const (
	cadesDetached = "ETSI.CAdES.detached"
	rfc3161       = "ETSI.RFC3161"
	pkcs7Detached = "adbe.pkcs7.detached"
	pkcs7SHA1     = "adbe.pkcs7.sha1"
)

// digest is that of what is signed.
func (s *signed) digest(data []byte, h crypto.Hash) []byte {
	if h == 0 || !h.Available() {
		return nil
	}
	sum := h.New()
	sum.Write(data[:s.from])
	sum.Write(data[s.to:s.end])
	return sum.Sum(nil)
}

// message is a judged CMS message: what is wrong with it and who signed it.
type message struct {
	data   *cms.SignedData
	signer *cms.Signer
	token  *cms.Token // of a document time-stamp
	cert   *x509.Certificate
	faults []error
	named  bool // a signed attribute names the certificate, and rightly
}

// judge reads the contents and checks digest and value.
func (s *signed) judge(data []byte, subFilter string) message {
	switch subFilter {
	case cadesDetached, pkcs7Detached, pkcs7SHA1:
		return s.judgeSignature(data, subFilter)
	case rfc3161:
		return s.judgeToken(data)
	}
	return message{faults: []error{fmt.Errorf("signatures of the form %q are not judged here", subFilter)}}
}

func (s *signed) judgeSignature(data []byte, subFilter string) (m message) {
	d, err := cms.Parse(s.contents)
	if err != nil {
		m.faults = append(m.faults, err)
		return m
	}
	m.data, m.signer, m.cert = d, d.Signers[0], d.Signers[0].Certificate
	if len(d.Signers) != 1 {
		m.faults = append(m.faults, errors.New("more than one signed the one message"))
	}
	digest := s.digest(data, m.signer.Hash)
	switch {
	case subFilter == pkcs7SHA1:
		inner := s.digest(data, crypto.SHA1)
		if string(inner) != string(d.Content) {
			m.faults = append(m.faults, errors.New("the document is not what was signed: its digest differs"))
		}
		digest = sum(m.signer.Hash, d.Content)
	case d.Content != nil:
		m.faults = append(m.faults, errors.New("the message holds a content of its own beside the document"))
	}
	m.take(m.signer.Verify(digest, nil))
	return m
}

// sha1Ends is until when a signature with SHA-1 is believed: since the collisions of chosen
// prefixes anybody can make two documents with one digest.
var sha1Ends = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// outworn says why digests are not believed of what was known to be there at a time.
func outworn(at time.Time, hashes ...crypto.Hash) error {
	if slices.Contains(hashes, crypto.SHA1) && !at.Before(sha1Ends) {
		return fmt.Errorf("its digest is SHA-1, and nothing that counts proves that it is older than %s", sha1Ends.Format(time.DateOnly))
	}
	return nil
}

func sum(h crypto.Hash, b []byte) []byte {
	if h == 0 || !h.Available() {
		return nil
	}
	s := h.New()
	s.Write(b)
	return s.Sum(nil)
}

func (s *signed) judgeToken(data []byte) (m message) {
	t, err := cms.ParseToken(s.contents)
	if err != nil {
		m.faults = append(m.faults, err)
		return m
	}
	m.data, m.token, m.signer, m.cert = t.SignedData, t, t.Signers[0], t.Signers[0].Certificate
	m.take(t.Verify(s.digest(data, t.Info.Hash), nil))
	return m
}

// take sorts findings: that no attribute names the certificate is no fault of a plain CMS
// signature.
func (m *message) take(f cms.Findings) {
	m.named = f.Certificate == nil
	if errors.Is(f.Certificate, cms.ErrNoCertificateID) && m.token == nil {
		f.Certificate = nil
	}
	for _, err := range []error{f.Digest, f.Signature, f.Certificate, f.Imprint} {
		if err != nil {
			m.faults = append(m.faults, err)
		}
	}
}

// lacks says why a signature is not of PAdES's baseline profile (ETSI EN 319 142-1, 6.3). That
// some are BER, where it wants DER, is let pass as other validators do.
func (s *signed) lacks(d *document, subFilter string, m message) (why []string) {
	add := func(is bool, text string) {
		if is {
			why = append(why, text)
		}
	}
	add(subFilter != cadesDetached, "its SubFilter is not "+cadesDetached)
	if m.signer == nil {
		return append(why, "its contents are no CMS message")
	}
	add(len(m.data.Signers) != 1, "it has several signers")
	add(m.data.Content != nil, "it is not detached")
	add(!m.named, "no signed attribute names the certificate rightly")
	add(m.signer.ContentType == "", "the content's type is not signed")
	add(!m.signer.SigningTime.IsZero(), "it has the attribute signing-time")
	add(m.signer.Hash == crypto.SHA1 || m.signer.Hash == 0, "its digest is "+m.signer.HashName)
	add(m.cert == nil, "it does not hold the signer's certificate")
	add(len(m.signer.CRLs)+len(m.signer.OCSPs) > 0, "it holds revocation data itself")
	add(s.dict["Cert"] != nil, "its dictionary has the entry Cert")
	date, err := d.resolve(s.dict["M"])
	t, ok := date.(*text)
	add(err != nil || !ok || parseDate(t.s).IsZero(), "its dictionary says no time")
	return why
}

// claimed is the time that the signer's program wrote, in the dictionary or the message.
func (s *signed) claimed(d *document, m message, out *proof.Signature) {
	date, err := d.resolve(s.dict["M"])
	if t, ok := date.(*text); ok && err == nil {
		out.Claimed = parseDate(t.s)
	}
	if out.Claimed.IsZero() && m.signer != nil && m.token == nil {
		out.Claimed = m.signer.SigningTime
	}
}
