package mail

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
)

// envelope is a CMS EnvelopedData (RFC 5652, 6) for one recipient with AES-256-CBC, in DER.
// Its lengths are arithmetic, so that its content can pass through it block by block.
type envelope struct {
	prefix  []byte // everything before the encrypted content, which is the last thing in it
	key, iv []byte
	content int64 // length before encryption
}

// Object identifiers: RFC 5652, 3565, 5753, 8017.
var (
	oidEnveloped = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 3}
	oidData      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidAES256CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	oidAES256Key = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 45} // wrapping of keys
	oidRSA       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEC        = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
)

// Tags of DER.
const (
	tagInteger  = 0x02
	tagBits     = 0x03
	tagOctets   = 0x04
	tagSequence = 0x30
	tagSet      = 0x31
	tagContext  = 0x80 // plus the number
	tagContains = 0xa0 // plus the number, for what holds others
)

// header is tag and length of a value in DER.
func header(tag byte, length int64) []byte {
	if length < 0x80 {
		return []byte{tag, byte(length)} //nolint:gosec // checked above
	}
	var b []byte
	for n := length; n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	return append([]byte{tag, 0x80 | byte(len(b))}, b...) //nolint:gosec // eight at most
}

// der is a value that holds others, or bytes.
func der(tag byte, parts ...[]byte) []byte {
	var all []byte
	for _, p := range parts {
		all = append(all, p...)
	}
	return append(header(tag, int64(len(all))), all...)
}

func oid(id asn1.ObjectIdentifier) []byte {
	b, err := asn1.Marshal(id)
	if err != nil {
		panic(err) // only our own constants come here
	}
	return b
}

// seal makes an envelope for so many bytes of content. The certificate must be one that
// domain/recipient finds good.
func seal(c *x509.Certificate, content int64) (*envelope, error) {
	e := &envelope{key: make([]byte, 32), iv: make([]byte, aes.BlockSize), content: content}
	_, _ = rand.Read(e.key) // never fails
	_, _ = rand.Read(e.iv)
	var version byte
	var info []byte
	var err error
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		info, err = keyTransport(c, key, e.key)
	case *ecdsa.PublicKey:
		version = 2
		info, err = keyAgreement(c, key, e.key)
	default:
		err = fmt.Errorf("a key of the kind %T cannot be encrypted to", key)
	}
	if err != nil {
		return nil, err
	}
	sealed := e.sealed()
	inner := append(oid(oidData), der(tagSequence, oid(oidAES256CBC), der(tagOctets, e.iv))...)
	inner = append(inner, header(tagContext, sealed)...)
	inner = append(header(tagSequence, int64(len(inner))+sealed), inner...)
	body := append(append(der(tagInteger, []byte{version}), der(tagSet, info)...), inner...)
	body = append(header(tagSequence, int64(len(body))+sealed), body...)
	body = append(header(tagContains, int64(len(body))+sealed), body...)
	body = append(oid(oidEnveloped), body...)
	e.prefix = append(header(tagSequence, int64(len(body))+sealed), body...)
	return e, nil
}

// sealed is the length of the content with its padding.
func (e *envelope) sealed() int64 { return e.content/aes.BlockSize*aes.BlockSize + aes.BlockSize }

func (e *envelope) size() int64 { return int64(len(e.prefix)) + e.sealed() }

// write writes the envelope around what content writes, which must be as long as was said.
func (e *envelope) write(w io.Writer, content func(w io.Writer) error) error {
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return fmt.Errorf("encrypting a mail: %w", err)
	}
	if _, err := w.Write(e.prefix); err != nil {
		return err
	}
	c := &cbc{w: w, mode: cipher.NewCBCEncrypter(block, e.iv)}
	if err := content(c); err != nil {
		return err
	}
	if c.total != e.content {
		return &sourceError{errLength}
	}
	return c.close()
}

// cbc encrypts what is written to it, and pads it at the end (RFC 5652, 6.3).
type cbc struct {
	w     io.Writer
	mode  cipher.BlockMode
	rest  []byte // less than a block
	total int64
}

func (c *cbc) Write(p []byte) (int, error) {
	c.total += int64(len(p))
	all := append(c.rest, p...) //nolint:gocritic // a copy of its own: p must stay as it is
	whole := len(all) / aes.BlockSize * aes.BlockSize
	c.mode.CryptBlocks(all[:whole], all[:whole])
	_, err := c.w.Write(all[:whole])
	c.rest = append([]byte(nil), all[whole:]...)
	return len(p), err
}

func (c *cbc) close() error {
	pad := aes.BlockSize - len(c.rest)
	for range pad {
		c.rest = append(c.rest, byte(pad))
	}
	c.mode.CryptBlocks(c.rest, c.rest)
	_, err := c.w.Write(c.rest)
	return err
}

// issuerAndSerial says which certificate is meant.
func issuerAndSerial(c *x509.Certificate) ([]byte, error) {
	serial, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return nil, fmt.Errorf("writing the number of a certificate: %w", err)
	}
	return der(tagSequence, c.RawIssuer, serial), nil
}

// keyTransport encrypts key to an RSA key (RFC 5652, 6.2.1), with PKCS #1 v1.5: OAEP is
// what mail programs in use do not all open.
func keyTransport(c *x509.Certificate, to *rsa.PublicKey, key []byte) ([]byte, error) {
	id, err := issuerAndSerial(c)
	if err != nil {
		return nil, err
	}
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, to, key) //nolint:staticcheck // see above
	if err != nil {
		return nil, fmt.Errorf("encrypting to an RSA key: %w", err)
	}
	algorithm := der(tagSequence, oid(oidRSA), []byte{0x05, 0})
	return der(tagSequence, der(tagInteger, []byte{0}), id, algorithm, der(tagOctets, sealed)), nil
}

// keyAgreement encrypts key to a key on an elliptic curve (RFC 5753, 3.1): a key of our own
// for this mail alone, Diffie-Hellman, a derived key that wraps the other.
func keyAgreement(c *x509.Certificate, to *ecdsa.PublicKey, key []byte) ([]byte, error) {
	theirs, err := to.ECDH()
	if err != nil {
		return nil, fmt.Errorf("encrypting to an elliptic curve: %w", err)
	}
	ours, err := theirs.Curve().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("encrypting to an elliptic curve: %w", err)
	}
	secret, err := ours.ECDH(theirs)
	if err != nil {
		return nil, fmt.Errorf("encrypting to an elliptic curve: %w", err)
	}
	id, err := issuerAndSerial(c)
	if err != nil {
		return nil, err
	}
	scheme, sum := derivation(theirs.Curve())
	wrapping := der(tagSequence, oid(oidAES256Key))
	bits := binary.BigEndian.AppendUint32(nil, 256)
	shared := der(tagSequence, wrapping, der(tagContains+2, der(tagOctets, bits)))
	sum.Write(secret)
	sum.Write([]byte{0, 0, 0, 1})
	sum.Write(shared)
	wrapped, err := wrap(sum.Sum(nil)[:32], key)
	if err != nil {
		return nil, err
	}
	public := append([]byte{0}, ours.PublicKey().Bytes()...) // no unused bits
	originator := der(tagContains, der(tagContains+1, der(tagSequence, oid(oidEC)), der(tagBits, public)))
	return der(tagContains+1, der(tagInteger, []byte{3}), originator, der(tagSequence, oid(scheme), wrapping),
		der(tagSequence, der(tagSequence, id, der(tagOctets, wrapped)))), nil
}

// derivation returns dhSinglePass-stdDH with the hash that is as strong as the curve.
func derivation(c ecdh.Curve) (asn1.ObjectIdentifier, hash.Hash) {
	switch c {
	case ecdh.P521():
		return asn1.ObjectIdentifier{1, 3, 132, 1, 11, 3}, sha512.New()
	case ecdh.P384():
		return asn1.ObjectIdentifier{1, 3, 132, 1, 11, 2}, sha512.New384()
	}
	return asn1.ObjectIdentifier{1, 3, 132, 1, 11, 1}, sha256.New()
}

// wrap wraps a key of whole 8 bytes (RFC 3394, 2.2.1).
func wrap(with, key []byte) ([]byte, error) {
	block, err := aes.NewCipher(with)
	if err != nil {
		return nil, fmt.Errorf("wrapping a key: %w", err)
	}
	n := len(key) / 8
	out := append([]byte{0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6}, key...)
	var b [aes.BlockSize]byte
	for j := range 6 {
		for i := 1; i <= n; i++ {
			copy(b[:8], out[:8])
			copy(b[8:], out[8*i:8*i+8])
			block.Encrypt(b[:], b[:])
			var step [8]byte
			binary.BigEndian.PutUint64(step[:], uint64(n*j+i))
			subtle.XORBytes(out[:8], b[:8], step[:])
			copy(out[8*i:], b[8:])
		}
	}
	return out, nil
}
