package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // G505: signatures of others are judged, and old ones have it
	"errors"
	"fmt"
)

// hashes are the digests that are read; ours are SHA-256.
var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	"2.16.840.1.101.3.4.2.4": crypto.SHA224,
}

// signatures are the algorithms that are read, and the hash that they name; 0: that of the
// digest.
var signatures = map[string]struct {
	name string
	hash crypto.Hash
}{
	"1.2.840.113549.1.1.1":  {"RSA", 0},
	"1.2.840.113549.1.1.5":  {"RSA", crypto.SHA1},
	"1.3.14.3.2.29":         {"RSA", crypto.SHA1},
	"1.2.840.113549.1.1.14": {"RSA", crypto.SHA224},
	"1.2.840.113549.1.1.11": {"RSA", crypto.SHA256},
	"1.2.840.113549.1.1.12": {"RSA", crypto.SHA384},
	"1.2.840.113549.1.1.13": {"RSA", crypto.SHA512},
	"1.2.840.113549.1.1.10": {"RSA-PSS", 0},
	"1.2.840.10045.2.1":     {"ECDSA", 0},
	"1.2.840.10045.4.1":     {"ECDSA", crypto.SHA1},
	"1.2.840.10045.4.3.1":   {"ECDSA", crypto.SHA224},
	"1.2.840.10045.4.3.2":   {"ECDSA", crypto.SHA256},
	"1.2.840.10045.4.3.3":   {"ECDSA", crypto.SHA384},
	"1.2.840.10045.4.3.4":   {"ECDSA", crypto.SHA512},
}

// hash takes an AlgorithmIdentifier of a digest.
func (r *reader) hash(what string) (crypto.Hash, string) {
	algorithm := r.into(tagSequence, what)
	id := algorithm.oid(what)
	if algorithm.err != nil {
		r.fail(algorithm.err)
		return 0, ""
	}
	if h, ok := hashes[id]; ok {
		return h, h.String()
	}
	return 0, id
}

// signature takes the AlgorithmIdentifier of a signer's signature.
func (r *reader) signature(s *Signer) {
	algorithm := r.into(tagSequence, "the signature's algorithm")
	id := algorithm.oid("the signature's algorithm")
	if algorithm.err != nil {
		r.fail(algorithm.err)
		return
	}
	s.params = algorithm.rest
	known, ok := signatures[id]
	if !ok {
		s.Algorithm = id
		return
	}
	s.Algorithm, s.signatureHash = known.name, known.hash
}

// pss are the parameters of an RSA-PSS signature (RFC 4055).
type pss struct {
	hash crypto.Hash
	salt int
}

func parsePSS(params []byte) (*pss, error) {
	p, mgf := &pss{hash: crypto.SHA1, salt: 20}, crypto.SHA1
	r := (&reader{rest: params}).into(tagSequence, "the parameters of RSA-PSS")
	for r.more() {
		e := r.any()
		inside := &reader{rest: e.body}
		switch e.tag {
		case tagContext | tagConstructed:
			p.hash, _ = inside.hash("the hash")
		case tagContext | tagConstructed | 1:
			generator := inside.into(tagSequence, "the mask")
			if id := generator.oid("the mask"); generator.err == nil && id != oidMGF1 {
				return nil, errors.New("its mask is not MGF1")
			}
			mgf, _ = generator.hash("the mask's hash")
			inside.fail(generator.err)
		case tagContext | tagConstructed | 2:
			p.salt = inside.small("the salt's length")
		case tagContext | tagConstructed | 3:
			if inside.small("the trailer") != 1 {
				return nil, errors.New("its trailer is unknown")
			}
		}
		if inside.err != nil {
			return nil, inside.err
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if p.hash == 0 || p.hash != mgf {
		return nil, errors.New("its hashes are unknown, or differ")
	}
	return p, nil
}

var errWrongValue = errors.New("the signature was not made by this key over these attributes")

// checkValue says whether value is the key's signature over a digest; p is not nil for
// RSA-PSS.
func checkValue(key any, hash crypto.Hash, digest, value []byte, p *pss) error {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		if p != nil || !ecdsa.VerifyASN1(key, digest, value) {
			return errWrongValue
		}
		return nil
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits > 16384 {
			return fmt.Errorf("the RSA key has %d bits", bits)
		}
		var err error
		if p != nil {
			err = rsa.VerifyPSS(key, hash, digest, value, &rsa.PSSOptions{SaltLength: saltLength(p.salt), Hash: hash})
		} else {
			err = rsa.VerifyPKCS1v15(key, hash, digest, value)
		}
		if err != nil {
			return errWrongValue
		}
		return nil
	}
	return errors.New("the certificate's key is of a kind that is not known here")
}

// saltLength keeps the lengths apart from the values that crypto/rsa gives a meaning of their
// own: 0 is "found out", which takes an empty salt too.
func saltLength(n int) int {
	if n == 0 {
		return rsa.PSSSaltLengthAuto
	}
	return n
}
