// Package cms holds the rules of signatures in Cryptographic Message Syntax, as PDF
// signatures carry them (chapter 7): SignedData (RFC 5652) with the attributes of CAdES
// (ETSI EN 319 122-1) and the tokens, requests and answers of time-stamps (RFC 3161).
//
// It builds in two steps, so that the key may be anywhere: a Draft says which digest is to
// be signed, and takes the value. What it reads was made by others, is bounded in size and
// depth, and may be BER where the standards want DER, because old signers wrote it.
package cms

import (
	"crypto"
	_ "crypto/sha256" // so that crypto.Hash can make SHA-224 and SHA-256
	_ "crypto/sha512" // and SHA-384 and SHA-512
	"crypto/x509"
	"errors"
	"math/big"
	"time"
)

// Validation is what a verifier needs years later besides a signature: all of it DER.
// Certificates are those of the signer's and the time-stamp authority's chains and of who
// signed the answers; OCSPs are whole OCSPResponses, CRLs whole CertificateLists.
type Validation struct {
	Certificates, OCSPs, CRLs [][]byte
}

// Findings are what is wrong with a signature; a nil field is a check that passed.
type Findings struct {
	Digest      error // the message digest is not that of the content
	Signature   error // the value was not made by the certificate's key, or cannot be checked
	Certificate error // the signed attribute names another certificate, or there is none (ErrNoCertificateID)
	Imprint     error // time-stamps only: it stamps something else
}

// Err joins the findings; nil when all checks passed.
func (f Findings) Err() error { return errors.Join(f.Digest, f.Signature, f.Certificate, f.Imprint) }

// ErrNoCertificateID is the finding for a signature without the attribute signing-certificate
// or signing-certificate-v2, which CAdES and RFC 3161 ask for and plain CMS does not.
var ErrNoCertificateID = errors.New("no signed attribute names the signer's certificate")

// SignedData is a parsed message. Object identifiers are numbers with dots.
type SignedData struct {
	Version      int
	ContentType  string              // 1.2.840.113549.1.7.1 for documents; see IsTimestamp
	Content      []byte              // the content that is carried inside; nil when it is detached
	Certificates []*x509.Certificate // those carried that crypto/x509 can read
	Unread       [][]byte            // certificates, as DER, that it cannot
	CRLs, OCSPs  [][]byte            // revocation data carried in the message itself
	Signers      []*Signer           // at least one
	WasBER       bool                // it was not DER; PAdES asks for DER
	DER          []byte              // the message as DER, without what stood behind it
}

// Signer is one signature of a message.
type Signer struct {
	Version      int
	Certificate  *x509.Certificate // nil when it is not carried, or cannot be read
	Issuer       []byte            // the issuer's name in DER and the serial number; nil when
	Serial       *big.Int          // the signer is named by its
	SubjectKeyID []byte            // key identifier

	Hash      crypto.Hash // of the content; 0 when it is none that we know: see HashName
	HashName  string      // such as SHA-256, or the object identifier of an unknown one
	Algorithm string      // of the signature: RSA, RSA-PSS, ECDSA, or the object identifier
	Signature []byte

	Signed        []Attribute // in their order; none when the signature is over the content itself
	Unsigned      []Attribute
	ContentType   string          // signed; empty when absent
	MessageDigest []byte          // signed; nil when absent
	SigningTime   time.Time       // signed, claimed; zero when absent
	Policy        string          // signed, the identifier of a signature policy; empty: none
	CertificateID []CertificateID // signed: the certificates that it names, the signer's first
	Timestamps    [][]byte        // unsigned: time-stamp tokens over Signature, for ParseToken
	CRLs, OCSPs   [][]byte        // signed: the archive of revocation data that Adobe's signers write
	wanted        string          // the content type that the message has
	signedDER     []byte          // the signed attributes as a SET
	params        []byte          // of the signature's algorithm
	signatureHash crypto.Hash     // what the signature's algorithm says; 0: nothing
}

// Attribute is a signed or unsigned attribute: its type and the DER of its values.
type Attribute struct {
	Type   string
	Values [][]byte
}

// CertificateID names a certificate by its hash, and by issuer and serial number where they
// are given (ESSCertID and ESSCertIDv2).
type CertificateID struct {
	Hash   crypto.Hash // 0: an unknown one
	Digest []byte
	Issuer []byte   // name in DER; nil: not given
	Serial *big.Int // nil: not given
	V2     bool
}

// TSTInfo is what a time-stamp says.
type TSTInfo struct {
	Policy    string
	Hash      crypto.Hash // of the imprint; 0 when it is none that we know: see HashName
	HashName  string
	Imprint   []byte
	Serial    *big.Int
	Time      time.Time     // UTC; built with at most microseconds
	Accuracy  time.Duration // plus or minus; zero: not said
	Ordering  bool
	Nonce     *big.Int // nil: none
	Authority []byte   // GeneralName in DER; nil: not said
	algorithm []byte   // of the imprint, as the request wrote it
}

// Token is a parsed time-stamp token (RFC 3161): a message with one signer whose content is
// the TSTInfo.
type Token struct {
	*SignedData
	Info TSTInfo
}

// Request is a parsed request for a time-stamp (RFC 3161, 2.4.1).
type Request struct {
	Hash      crypto.Hash // 0 when it is none that we know
	Imprint   []byte
	Policy    string   // empty: any
	Nonce     *big.Int // nil: none
	WantsCert bool     // the token shall carry its certificates
	algorithm []byte
}

// Failure is why a request for a time-stamp is refused: a bit of PKIFailureInfo.
type Failure int

// The failures of RFC 3161, 2.4.2.
const (
	BadAlgorithm        Failure = 0
	BadRequest          Failure = 2
	BadDataFormat       Failure = 5
	TimeNotAvailable    Failure = 14
	UnacceptedPolicy    Failure = 15
	UnacceptedExtension Failure = 16
	SystemFailure       Failure = 25
)

// The bounds of what is read.
const (
	maxSize         = 16 << 20 // bytes of a message
	maxDepth        = 48       // of constructed elements
	maxSigners      = 64
	maxCertificates = 512 // in a message, CRLs and OCSP answers likewise
	maxAttributes   = 256 // of a signer, and values of an attribute
)
