package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // G505: names an issuer, as RFC 6960 and its readers have it; it protects nothing
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"vidimus/internal/domain/fault"
)

var (
	oidSHA1            = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256          = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidBasic           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidNonce           = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidArchiveCutoff   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 6}
	oidECDSAWithSHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

// The bounds of a request.
const (
	mostAsked  = 16
	longestAsk = 16 << 10
	longNonce  = 128 // RFC 9654
)

// The answers without an answer (RFC 6960, 4.2.1).
const (
	malformed     = 1
	internalError = 2
	unauthorized  = 6
)

// asked is one certificate that a request asks about.
type asked struct {
	id      []byte // CertID in DER, as it is written
	serial  *big.Int
	isOurs  bool
	revoked time.Time
	reason  int
	unknown bool
}

// OCSP answers a request in DER. Requests that cannot be read, or ask about other
// authorities, get an answer that says so; the error is for the log, and comes with the
// answer to send all the same.
func (a *Authority) OCSP(ctx context.Context, request []byte) ([]byte, error) {
	all, nonce, err := a.parseOCSP(request)
	if err != nil {
		return failed(malformed), nil
	}
	for n := range all {
		if !all[n].isOurs {
			return failed(unauthorized), nil
		}
		if err := a.status(ctx, &all[n]); err != nil {
			return failed(internalError), err
		}
	}
	answer, err := a.answer(all, nonce, a.clock.Now())
	if err != nil {
		return failed(internalError), err
	}
	return answer, nil
}

func failed(status byte) []byte { return []byte{0x30, 3, 0x0a, 1, status} }

// status asks the store about a certificate.
func (a *Authority) status(ctx context.Context, one *asked) (err error) {
	one.revoked, one.reason, err = a.store.CertificateStatus(ctx, serialText(one.serial))
	if fault.Is(err, fault.NotFound) {
		one.unknown, err = true, nil
	}
	return err
}

// about answers about a certificate of the issuing authority without being asked.
func (a *Authority) about(ctx context.Context, serial *big.Int, now time.Time) ([]byte, error) {
	one := asked{id: a.certID(serial), serial: serial}
	if err := a.status(ctx, &one); err != nil {
		return nil, err
	}
	return a.answer([]asked{one}, nil, now)
}

func (a *Authority) parseOCSP(request []byte) (all []asked, nonce []byte, err error) {
	var body, list, outer cryptobyte.String
	bad := errors.New("the request cannot be read")
	in := cryptobyte.String(request)
	if len(request) > longestAsk || !in.ReadASN1(&outer, tag.SEQUENCE) || !in.Empty() || !outer.ReadASN1(&body, tag.SEQUENCE) ||
		!body.SkipOptionalASN1(tag.Tag(0).ContextSpecific().Constructed()) || !body.SkipOptionalASN1(tag.Tag(1).ContextSpecific().Constructed()) ||
		!body.ReadASN1(&list, tag.SEQUENCE) {
		return nil, nil, bad
	}
	for !list.Empty() {
		var one, id cryptobyte.String
		if len(all) == mostAsked || !list.ReadASN1(&one, tag.SEQUENCE) || !one.ReadASN1Element(&id, tag.SEQUENCE) {
			return nil, nil, bad
		}
		parsed := asked{id: id, serial: new(big.Int)}
		if parsed.isOurs, err = a.parseCertID(id, parsed.serial); err != nil {
			return nil, nil, err
		}
		all = append(all, parsed)
	}
	if len(all) == 0 {
		return nil, nil, bad
	}
	nonce, err = parseNonce(body)
	return all, nonce, err
}

// parseCertID reads the serial number and says whether the issuer is ours.
func (a *Authority) parseCertID(b cryptobyte.String, serial *big.Int) (bool, error) {
	var id, algorithm, name, key cryptobyte.String
	var hash asn1.ObjectIdentifier
	if !b.ReadASN1(&id, tag.SEQUENCE) || !id.ReadASN1(&algorithm, tag.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&hash) ||
		!id.ReadASN1(&name, tag.OCTET_STRING) || !id.ReadASN1(&key, tag.OCTET_STRING) || !id.ReadASN1Integer(serial) || !id.Empty() || serial.Sign() <= 0 || serial.BitLen() > 160 {
		return false, errors.New("a certificate's name cannot be read")
	}
	for _, known := range []struct {
		id asn1.ObjectIdentifier
		f  crypto.Hash
	}{{oidSHA1, crypto.SHA1}, {oidSHA256, crypto.SHA256}} {
		if hash.Equal(known.id) {
			return bytes.Equal(name, hashed(known.f, a.issuing.cert.RawSubject)) && bytes.Equal(key, hashed(known.f, a.issuing.keyBits())), nil
		}
	}
	return false, nil
}

// parseNonce finds the nonce among the extensions of a request, as the whole extension.
func parseNonce(body cryptobyte.String) ([]byte, error) {
	var extensions, list cryptobyte.String
	var has bool
	bad := errors.New("the request's extensions cannot be read")
	if !body.ReadOptionalASN1(&extensions, &has, tag.Tag(2).ContextSpecific().Constructed()) || !body.Empty() {
		return nil, bad
	}
	if !has {
		return nil, nil
	}
	if !extensions.ReadASN1(&list, tag.SEQUENCE) || !extensions.Empty() {
		return nil, bad
	}
	for !list.Empty() {
		var all, one cryptobyte.String
		var id asn1.ObjectIdentifier
		if !list.ReadASN1Element(&all, tag.SEQUENCE) {
			return nil, bad
		}
		copied := all
		if !copied.ReadASN1(&one, tag.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) {
			return nil, bad
		}
		if id.Equal(oidNonce) {
			if len(all) > longNonce+32 {
				return nil, bad
			}
			return all, nil
		}
	}
	return nil, nil
}

func hashed(h crypto.Hash, b []byte) []byte {
	f := h.New()
	f.Write(b)
	return f.Sum(nil)
}

// keyBits is the subject's public key without its algorithm.
func (i *identity) keyBits() []byte {
	b, err := i.key.PublicKey.Bytes()
	if err != nil { // of our own keys none is off its curve
		panic(err)
	}
	return b
}

// certID names a certificate of the issuing authority, with SHA-1, which all readers know.
func (a *Authority) certID(serial *big.Int) []byte {
	var b cryptobyte.Builder
	name, key := sha1.Sum(a.issuing.cert.RawSubject), sha1.Sum(a.issuing.keyBits()) //nolint:gosec // G401: see the import
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidSHA1)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(name[:])
		b.AddASN1OctetString(key[:])
		b.AddASN1BigInt(serial)
	})
	return b.BytesOrPanic()
}

// answer signs an OCSPResponse that carries the responder's certificate.
func (a *Authority) answer(all []asked, nonce []byte, now time.Time) ([]byte, error) {
	now = now.Truncate(time.Second)
	var data cryptobyte.Builder
	data.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tag.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(a.responder.cert.RawSubject) })
		b.AddASN1GeneralizedTime(now)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, one := range all {
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { a.single(b, one, now) })
			}
		})
		if nonce != nil {
			b.AddASN1(tag.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(nonce) })
			})
		}
	})
	signed, err := data.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing an OCSP answer: %w", err)
	}
	sum := sha256.Sum256(signed)
	value, err := ecdsa.SignASN1(rand.Reader, a.responder.key, sum[:])
	if err != nil {
		return nil, fmt.Errorf("signing an OCSP answer: %w", err)
	}
	return a.wrap(signed, value)
}

func (a *Authority) wrap(signed, value []byte) ([]byte, error) {
	var basic, b cryptobyte.Builder
	basic.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidECDSAWithSHA256) })
		b.AddASN1BitString(value)
		b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(a.responder.cert.Raw) })
		})
	})
	inner, err := basic.Bytes()
	if err != nil {
		return nil, fmt.Errorf("writing an OCSP answer: %w", err)
	}
	b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1OctetString(inner)
			})
		})
	})
	return b.Bytes()
}

// single writes the status of one certificate. The archive cutoff says that answers about
// expired certificates, which a signer's soon is, count as well.
func (a *Authority) single(b *cryptobyte.Builder, one asked, now time.Time) {
	b.AddBytes(one.id)
	switch {
	case one.unknown:
		b.AddASN1(tag.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	case one.revoked.IsZero():
		b.AddASN1(tag.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	default:
		b.AddASN1(tag.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1GeneralizedTime(one.revoked.UTC())
			if one.reason != 0 {
				b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(one.reason)) })
			}
		})
	}
	b.AddASN1GeneralizedTime(now)
	b.AddASN1(tag.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(now.Add(answerValid)) })
	b.AddASN1(tag.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(tag.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidArchiveCutoff)
				b.AddASN1(tag.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(a.issuing.cert.NotBefore.UTC()) })
			})
		})
	})
}
