package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
)

// Draft is a signature whose attributes are known and whose value is not.
type Draft struct {
	contentType  []byte // object identifiers, in DER
	content      []byte // carried inside; nil: detached
	signer       *x509.Certificate
	certificates [][]byte
	attributes   []byte // a SET
	digest       [sha256.Size]byte
	algorithm    []byte // of the signature
	valueSize    int    // at most
}

// Prepare drafts a detached CAdES signature over content with that SHA-256: content-type,
// message-digest and signing-certificate-v2, and no signing-time, which PAdES puts elsewhere.
// Chain is DER, the signer's certificate first; all of it is carried. Keys are P-256, P-384
// or RSA with 2048 to 8192 bits.
func Prepare(digest []byte, chain [][]byte) (*Draft, error) {
	if len(digest) != sha256.Size {
		return nil, fmt.Errorf("a SHA-256 has %d bytes, not %d", sha256.Size, len(digest))
	}
	return prepare(oid(oidData), nil, digest, chain, chain)
}

func prepare(contentType, content, digest []byte, chain, carried [][]byte) (*Draft, error) {
	if len(chain) == 0 {
		return nil, errors.New("no certificate to sign with")
	}
	signer, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("reading the signer's certificate: %w", err)
	}
	d := &Draft{contentType: contentType, content: content, signer: signer, certificates: carried}
	switch key := signer.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() && key.Curve != elliptic.P384() {
			return nil, errors.New("keys on the curve " + key.Params().Name + " do not sign here")
		}
		d.algorithm, d.valueSize = der(tagSequence, oid(oidECDSAWithSHA256)), 2*((key.Params().BitSize+7)/8)+9
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < 2048 || bits > 8192 {
			return nil, fmt.Errorf("RSA keys with %d bits do not sign here", bits)
		}
		d.algorithm, d.valueSize = der(tagSequence, oid(oidRSA), null), key.Size()
	default:
		return nil, errors.New("the signer's key is neither ECDSA nor RSA")
	}
	d.attributes = set(tagSet,
		attribute(oid(oidContentType), contentType),
		attribute(oid(oidMessageDigest), der(tagOctets, digest)),
		attribute(oid(oidSigningCertificateV2), signingCertificate(signer)),
	)
	d.digest = sha256.Sum256(d.attributes)
	return d, nil
}

// Bytes are what is signed: the signed attributes as a SET. They must not be changed.
func (d *Draft) Bytes() []byte { return d.attributes }

// Digest is the SHA-256 of Bytes, which the signer's key must sign.
func (d *Draft) Digest() []byte { return d.digest[:] }

// Size is the most that Finish returns for a token of that many bytes; 0: without one.
func (d *Draft) Size(token int) int {
	b, err := d.assemble(make([]byte, d.valueSize), make([]byte, token))
	if err != nil { // only a value or a token can be wrong
		panic(err)
	}
	return len(b) + 16 // lengths that need another byte
}

// Finish returns the message in DER. The value is what the key made of Digest: for ECDSA the
// ASN.1 of r and s, for RSA PKCS #1 v1.5. Token is a time-stamp token over the SHA-256 of
// value, nil for none. A value that does not verify is refused.
func (d *Draft) Finish(value, token []byte) ([]byte, error) {
	if err := checkValue(d.signer.PublicKey, crypto.SHA256, d.digest[:], value, nil); err != nil {
		return nil, fmt.Errorf("the value does not fit the certificate: %w", err)
	}
	if token != nil {
		stamp, err := ParseToken(token)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(value)
		if err := stamp.checkImprint(sum[:]); err != nil {
			return nil, err
		}
		token = stamp.DER
	}
	return d.assemble(value, token)
}

func (d *Draft) assemble(value, token []byte) ([]byte, error) {
	if len(value) > d.valueSize {
		return nil, errors.New("the value is longer than the key makes")
	}
	version := number(1)
	inner := der(tagSequence, d.contentType)
	if d.content != nil {
		version = number(3)
		inner = der(tagSequence, d.contentType, der(tagContext|tagConstructed, der(tagOctets, d.content)))
	}
	hash := der(tagSequence, oid(oidSHA256))
	signedAttributes := append([]byte{tagContext | tagConstructed}, d.attributes[1:]...)
	var unsigned []byte
	if len(token) > 0 {
		unsigned = der(tagContext|tagConstructed|1, attribute(oid(oidTimeStampToken), token))
	}
	signer := der(tagSequence, number(1),
		der(tagSequence, d.signer.RawIssuer, integer(d.signer.SerialNumber)),
		hash, signedAttributes, d.algorithm, der(tagOctets, value), unsigned)
	var certificates []byte
	if len(d.certificates) > 0 {
		certificates = set(tagContext|tagConstructed, d.certificates...)
	}
	return der(tagSequence, oid(oidSignedData), der(tagContext|tagConstructed,
		der(tagSequence, version, der(tagSet, hash), inner, certificates, der(tagSet, signer)))), nil
}

func attribute(kind []byte, value []byte) []byte { return der(tagSequence, kind, der(tagSet, value)) }

// signingCertificate is SigningCertificateV2 with one ESSCertIDv2; SHA-256 is its default.
func signingCertificate(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	issuer := der(tagSequence, der(tagContext|tagConstructed|4, c.RawIssuer)) // GeneralNames, directoryName
	id := der(tagSequence, der(tagOctets, sum[:]), der(tagSequence, issuer, integer(c.SerialNumber)))
	return der(tagSequence, der(tagSequence, id))
}
