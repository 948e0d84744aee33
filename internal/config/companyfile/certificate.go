package companyfile

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"

	"vidimus/internal/config/document"
)

// maxCertificates is the largest certificate file, in bytes.
const maxCertificates = 256 << 10

// certificates reads what a mail is encrypted to: the name of a file with X.509 or PKCS #7
// in DER or PEM, or the PEM itself. It returns each certificate in DER.
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
	certs, err := parseCertificates(data)
	if err != nil {
		v.Expect("an X.509 certificate in DER or PEM, or PKCS #7 with one, is expected; no private key")
		return nil
	}
	return certs
}

var errCertificate = errors.New("no certificate")

// parseCertificates returns the certificates in data, each in DER. Anything else in it, a
// private key above all, is an error.
func parseCertificates(data []byte) ([][]byte, error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return parseDER(data)
	}
	var all [][]byte
	for rest := data; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			if bytes.Contains(rest, []byte("-----BEGIN ")) || len(all) == 0 {
				return nil, errCertificate
			}
			return all, nil
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS7", "CMS":
			certs, err := parseDER(block.Bytes)
			if err != nil {
				return nil, err
			}
			all = append(all, certs...)
		default:
			return nil, errCertificate
		}
	}
}

// parseDER reads one certificate, several in a row, or PKCS #7.
func parseDER(data []byte) ([][]byte, error) {
	certs, err := x509.ParseCertificates(data)
	if err != nil {
		inner, err := insidePKCS7(data)
		if err != nil {
			return nil, err
		}
		if certs, err = x509.ParseCertificates(inner); err != nil {
			return nil, err
		}
	}
	if len(certs) == 0 {
		return nil, errCertificate
	}
	all := make([][]byte, len(certs))
	for i, c := range certs {
		all[i] = c.Raw
	}
	return all, nil
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
		return nil, errCertificate
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
		return nil, errCertificate
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
		_, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(r.company.SFTP.SSHKeys[i]))
		if (err != nil || len(options) > 0 || len(rest) > 0) && !r.doc.Wrong(v.Path()) {
			v.Expect("a public key as in authorized_keys, without options, is expected")
		}
	})
}
