package companyfile

import (
	"bytes"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/config/document"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/recipient"
)

// maxCertificates is the largest certificate file, in bytes.
const maxCertificates = 256 << 10

// certificates reads what a mail is encrypted to: the name of a file with X.509 or PKCS #7
// in DER or PEM, or the PEM itself. It returns the one certificate in DER that mails will be
// encrypted to; domain/recipient says which, and which are refused.
func (r *reader) certificates(v document.Value) [][]byte {
	text, ok := v.Text()
	if !ok {
		return nil
	}
	data := []byte(text)
	if !strings.Contains(text, "-----BEGIN ") {
		if data, ok = r.file(v, "a .der, .cer, .pem or .p7b file", maxCertificates); !ok {
			return nil
		}
	}
	const expected = "a certificate that mails can be encrypted to is expected; this one "
	all, err := parseCertificates(data)
	if err != nil {
		v.Expect(expected + err.Error())
		return nil
	}
	chosen, err := recipient.Choose(all, r.opt.Now)
	if err != nil {
		v.Expect(expected + fault.All(err)[0].Message)
		return nil
	}
	return [][]byte{chosen.Raw}
}

// What is no certificate, in words that follow "this one".
var (
	errNone       = errors.New("is no certificate: X.509 or PKCS #7, in DER or PEM, is")
	errCut        = errors.New("is damaged or cut off")
	errEmpty      = errors.New("is PKCS #7 without a certificate")
	errPrivateKey = errors.New("holds a private key, which nobody but the recipient may have: give the certificate alone, and make a new key")
	errPKCS12     = errors.New("is PKCS #12, which holds a private key: give the certificate alone")
	errPublicKey  = errors.New("is a bare public key: give the certificate")
	errRequest    = errors.New("is a request for a certificate: give the certificate")
)

// parseCertificates returns the certificates in data, each in DER. Anything else in it, a
// private key above all, is an error that says what it is.
func parseCertificates(data []byte) ([][]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return parseDER(unarmoured(data))
	}
	var all [][]byte
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			if bytes.Contains(rest, []byte("-----BEGIN ")) || len(all) == 0 {
				return nil, errCut
			}
			return all, nil
		}
		certs, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		all = append(all, certs...)
	}
}

// parseBlock returns the certificates in one block of PEM.
func parseBlock(block *pem.Block) ([][]byte, error) {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS":
		return parseDER(block.Bytes)
	case "PUBLIC KEY", "RSA PUBLIC KEY":
		return nil, errPublicKey
	case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST":
		return nil, errRequest
	}
	if strings.HasSuffix(block.Type, "PRIVATE KEY") {
		return nil, errPrivateKey
	}
	return nil, errNone
}

// unarmoured undoes base64 without the lines around it; anything else comes back as it is.
func unarmoured(data []byte) []byte {
	packed := bytes.Join(bytes.Fields(data), nil)
	if der, err := base64.StdEncoding.Strict().DecodeString(string(packed)); err == nil && len(der) > 0 {
		return der
	}
	return data
}

// parseDER reads one certificate, several in a row, or PKCS #7. Whether what looks like a
// certificate can be read, domain/recipient sees.
func parseDER(data []byte) ([][]byte, error) {
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(data, &outer); err != nil {
		if len(data) > 0 && data[0] == asn1.TagSequence|constructed {
			return nil, errCut
		}
		return nil, errNone
	}
	inner, err := insidePKCS7(data)
	switch {
	case err == nil && len(inner) == 0:
		return nil, errEmpty
	case err == nil:
		data = inner
	case isPKCS12(outer):
		return nil, errPKCS12
	}
	var all [][]byte
	for len(bytes.TrimSpace(data)) > 0 {
		rest, err := asn1.Unmarshal(data, &outer)
		if err != nil || outer.Class != asn1.ClassUniversal || outer.Tag != asn1.TagSequence {
			return nil, errNone
		}
		all, data = append(all, bytes.Clone(outer.FullBytes)), rest
	}
	return all, nil
}

// constructed is the bit that marks values which hold others.
const constructed = 0x20

// isPKCS12 says whether v begins as RFC 7292, 4 has it: version 3, then a ContentInfo.
func isPKCS12(v asn1.RawValue) bool {
	var version int
	_, err := asn1.Unmarshal(v.Bytes, &version)
	return err == nil && version == 3
}

var signedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// insidePKCS7 returns the certificates of a SignedData (RFC 5652, 5.1), which is what a .p7b
// is, one after the other in DER. Its signatures, mostly none, do not matter here.
func insidePKCS7(data []byte) ([]byte, error) {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	if rest, err := asn1.Unmarshal(data, &outer); err != nil || len(bytes.TrimSpace(rest)) > 0 || !outer.Type.Equal(signedData) {
		return nil, errNone
	}
	var signed struct {
		Version      int
		Algorithms   asn1.RawValue
		Encapsulated asn1.RawValue
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		Revocations  asn1.RawValue `asn1:"optional,tag:1"`
		Signers      asn1.RawValue
	}
	if rest, err := asn1.Unmarshal(outer.Content.Bytes, &signed); err != nil || len(rest) > 0 {
		return nil, errNone
	}
	return signed.Certificates.Bytes, nil
}

// sshKeys reads the list of public keys. domain/company sees whether each has the form of
// one; whether the key in it is sound is seen here.
func (r *reader) sshKeys(v document.Value) {
	texts(&r.company.SFTP.SSHKeys)(v)
	if !v.IsList() {
		return
	}
	v.Each(func(i int, v document.Value) {
		key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(r.company.SFTP.SSHKeys[i]))
		if (err != nil || len(options) > 0 || len(rest) > 0) && !r.doc.Wrong(v.Path()) {
			v.Expect("a public key as in authorized_keys, without options, is expected")
		}
		if bits := bitsOfRSA(key); bits > 0 && bits < weakestRSA && !r.doc.Wrong(v.Path()) {
			v.Expect(fmt.Sprintf("an RSA key of at least %d bits is expected; this one has %d, and logs nobody in", weakestRSA, bits))
		}
	})
}

// weakestRSA is how many bits an RSA key must have; SFTP refuses weaker ones.
const weakestRSA = 2048

// bitsOfRSA returns how many bits an RSA key has; zero: it is another one, or none.
func bitsOfRSA(key ssh.PublicKey) int {
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok {
			return r.N.BitLen()
		}
	}
	return 0
}
