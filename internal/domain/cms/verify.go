package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// Verify checks a signature over content whose digest, by Hash, is given, against the key of
// a certificate; nil means the one that the message carries. Whether the certificate may be
// trusted is another question.
func (s *Signer) Verify(digest []byte, certificate *x509.Certificate) Findings {
	if certificate == nil {
		certificate = s.Certificate
	}
	f := Findings{Digest: s.checkDigest(digest)}
	if certificate == nil {
		f.Signature = errors.New("the signer's certificate is not there, or cannot be read")
		f.Certificate = f.Signature
		return f
	}
	f.Signature = s.checkSignature(digest, certificate)
	f.Certificate = s.checkCertificate(certificate)
	return f
}

func (s *Signer) checkDigest(digest []byte) error {
	switch {
	case s.Hash == 0:
		return errors.New("the digest " + s.HashName + " is not known here")
	case len(digest) != s.Hash.Size():
		return fmt.Errorf("a %s has %d bytes, not %d", s.Hash, s.Hash.Size(), len(digest))
	case len(s.Signed) == 0: // the signature itself is over the digest
		return nil
	case s.ContentType != s.wanted:
		return errors.New("the signed attributes name another type of content than the message")
	case s.MessageDigest == nil:
		return errors.New("the signed attributes have no digest of the content")
	case !bytes.Equal(digest, s.MessageDigest):
		return errors.New("the content is not what was signed: its digest differs")
	}
	return nil
}

// SignatureHash is the digest that the signature itself is over, which need not be that of the
// content; 0: it is not known.
func (s *Signer) SignatureHash() crypto.Hash {
	hash, _, err := s.overHash()
	if err != nil {
		return 0
	}
	return hash
}

// overHash is SignatureHash with the parameters of RSA-PSS; they are nil for others.
func (s *Signer) overHash() (hash crypto.Hash, p *pss, err error) {
	hash = s.Hash
	if s.Algorithm == "RSA-PSS" {
		if p, err = parsePSS(s.params); err != nil {
			return 0, nil, fmt.Errorf("reading RSA-PSS: %w", err)
		}
		hash = p.hash
	} else if s.signatureHash != 0 {
		hash = s.signatureHash
	}
	if hash == 0 {
		return 0, nil, errors.New("the digest " + s.HashName + " is not known here")
	}
	return hash, p, nil
}

// checkSignature tries the attributes as they were written and, as some signers sorted them
// for the signature only, in the order of DER.
func (s *Signer) checkSignature(digest []byte, c *x509.Certificate) error {
	hash, p, err := s.overHash()
	if err != nil {
		return err
	}
	if err := s.checkKey(c); err != nil {
		return err
	}
	if len(s.Signed) == 0 {
		if hash != s.Hash {
			return errors.New("the signature is over another digest than that of the content")
		}
		return checkValue(c.PublicKey, hash, digest, s.Signature, p)
	}
	err = s.checkOver(s.signedDER, hash, c, p)
	if err == nil {
		return nil
	}
	r := (&reader{rest: s.signedDER}).into(tagSet, "the signed attributes")
	var all [][]byte
	for r.more() {
		all = append(all, r.any().all)
	}
	if sorted := set(tagSet, all...); !slices.Equal(sorted, s.signedDER) {
		return s.checkOver(sorted, hash, c, p)
	}
	return err
}

func (s *Signer) checkOver(signed []byte, hash crypto.Hash, c *x509.Certificate, p *pss) error {
	h := hash.New()
	h.Write(signed)
	return checkValue(c.PublicKey, hash, h.Sum(nil), s.Signature, p)
}

// checkKey refuses an algorithm that is not the key's.
func (s *Signer) checkKey(c *x509.Certificate) error {
	want := map[string]x509.PublicKeyAlgorithm{"RSA": x509.RSA, "RSA-PSS": x509.RSA, "ECDSA": x509.ECDSA}
	kind, ok := want[s.Algorithm]
	if !ok {
		return errors.New("the signature's algorithm " + s.Algorithm + " is not known here")
	}
	if c.PublicKeyAlgorithm != kind {
		return errors.New("the certificate's key is not for " + s.Algorithm)
	}
	return nil
}

// checkCertificate compares the certificate with the one that was signed along.
func (s *Signer) checkCertificate(c *x509.Certificate) error {
	if len(s.CertificateID) == 0 {
		return ErrNoCertificateID
	}
	id := s.CertificateID[0]
	if id.Hash == 0 {
		return errors.New("the signer's certificate is named by a hash that is not known here")
	}
	h := id.Hash.New()
	h.Write(c.Raw)
	if !bytes.Equal(h.Sum(nil), id.Digest) {
		return errors.New("the signed attributes name another certificate")
	}
	if id.Serial != nil && (id.Serial.Cmp(c.SerialNumber) != 0 || id.Issuer != nil && !bytes.Equal(id.Issuer, c.RawIssuer)) {
		return errors.New("the signed attributes name another issuer or serial number")
	}
	return nil
}
