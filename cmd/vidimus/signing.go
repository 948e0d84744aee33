package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"vidimus/internal/config"
	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/keys"
	"vidimus/internal/pdf/appearance"
	"vidimus/internal/pdf/find"
	"vidimus/internal/pdf/sign"
	"vidimus/internal/service/signing"
	"vidimus/internal/trust/ca"
	"vidimus/internal/trust/csc"
)

// inspector is signing.Inspector: PDFium finds places, and the signer says whether it can
// write into the file.
type inspector struct{ *find.Finder }

// Check says whether a file can be signed.
func (i inspector) Check(ctx context.Context, file []byte) error {
	if err := sign.Check(file); err != nil {
		return err
	}
	return i.Finder.Check(ctx, file)
}

// Places returns where the signatures stand, if the file can be signed there.
func (i inspector) Places(ctx context.Context, file []byte, want []esign.Signature) ([]esign.Spot, error) {
	spots, err := i.Finder.Places(ctx, file, want)
	if err != nil {
		return nil, err
	}
	return spots, sign.CheckPlaces(file, spots)
}

// session is a signing.Session over that of a trust service.
type session struct {
	held interface {
		Chain() [][]byte
		Sign(ctx context.Context, digest []byte) ([]byte, error)
		Timestamp(ctx context.Context, digest []byte) ([]byte, error)
		Validation(ctx context.Context) (cms.Validation, error)
		Close() error
	}
	log *slog.Logger
}

func (s session) Chain() [][]byte { return s.held.Chain() }

func (s session) Sign(ctx context.Context, digest []byte) ([]byte, error) {
	return s.held.Sign(ctx, digest)
}

func (s session) Timestamp(ctx context.Context, digest []byte) ([]byte, error) {
	return s.held.Timestamp(ctx, digest)
}

func (s session) Validation(ctx context.Context) (signing.Validation, error) {
	v, err := s.held.Validation(ctx)
	return signing.Validation{Certificates: v.Certificates, OCSPs: v.OCSPs, CRLs: v.CRLs}, err
}

func (s session) Close() {
	if err := s.held.Close(); err != nil {
		s.log.LogAttrs(context.Background(), slog.LevelError, "ending a session of the trust service", slog.Any("error", err))
	}
}

// ownTrust is signing.Trust by the built-in authority, which is made when it is first needed.
type ownTrust struct {
	open func(ctx context.Context) (*ca.Authority, error)
	log  *slog.Logger
}

// certificates is where the authority's certificates, lists and answers are found.
const certificates = "/assets/certs"

// authority opens the built-in authority once; a failure is tried again. What is not there yet
// is made by a server, which knows the address to write into it, and is fault.NotFound to a
// command beside it.
func (p *platform) authority(c config.Config, master keys.Master) func(ctx context.Context) (*ca.Authority, error) {
	var gate sync.Mutex
	var opened *ca.Authority
	return func(ctx context.Context) (*ca.Authority, error) {
		gate.Lock()
		defer gate.Unlock()
		if opened != nil {
			return opened, nil
		}
		if p.beside {
			standing, err := ca.Standing(ctx, p.db)
			if err == nil && len(standing) < ca.Lasting {
				err = fault.New(fault.NotFound, "there is no trust service yet")
			}
			if err != nil {
				return nil, err
			}
		}
		a, err := ca.Open(ctx, p.db, master, p.clock, c.Base()+certificates, ca.Config{})
		if err == nil {
			opened = a
		}
		return a, err
	}
}

func (t ownTrust) Begin(ctx context.Context, s signing.Subject) (signing.Session, error) {
	authority, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	held, err := authority.Begin(ctx, ca.Subject{GivenName: s.GivenName, Surname: s.Surname, CommonName: s.CommonName, Country: s.Country})
	if err != nil {
		return nil, err
	}
	return session{held, t.log}, nil
}

// sealName is whom the certificate of the installation's own seal names.
const sealName = "Vidimus signing record (not qualified)"

func (t ownTrust) Seal(ctx context.Context) (signing.Session, error) {
	authority, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	held, err := authority.Begin(ctx, ca.Subject{CommonName: sealName})
	if err != nil {
		return nil, err
	}
	return session{held, t.log}, nil
}

// signers returns who makes the keys of signers: the provider that is configured, or the
// built-in authority.
func (p *platform) signers(c config.Config) (signing.Trust, error) {
	if c.CSCURL == "" {
		return p.trust, nil
	}
	client, err := csc.New(remote(c), p.clock, nil)
	if err != nil {
		return nil, err
	}
	return remoteTrust{p.trust, client}, nil
}

// remote are the settings of the provider.
func remote(c config.Config) csc.Config {
	return csc.Config{
		URL: c.CSCURL, TokenURL: c.CSCTokenURL, ClientID: c.CSCClientID, ClientSecretFile: c.CSCClientSecretFile,
		CredentialID: c.CSCCredential, AuthDataFile: c.CSCAuthDataFile, TimestampURL: c.CSCTimestampURL,
	}
}

// remoteTrust is signing.Trust by a trust service provider; the installation's own seal stays
// the built-in authority's. The key is the one of the platform's account there, so that its
// certificate, and not the signer's name, says whose signature it is.
type remoteTrust struct {
	ownTrust
	client *csc.Client
}

func (t remoteTrust) Begin(ctx context.Context, _ signing.Subject) (signing.Session, error) {
	held, err := t.client.Begin(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("opening a credential at the provider: %w", err)
	}
	return session{held, t.log}, nil
}

// pen is signing.Pen over the PDF signer.
type pen struct{}

var levels = map[company.Level]sign.Level{company.LevelB: sign.BB, company.LevelT: sign.BT, company.LevelLT: sign.BLT, company.LevelLTA: sign.BLTA}

func (pen) Sign(ctx context.Context, content []byte, o signing.Order, s signing.Session) ([]byte, error) {
	level, ok := levels[o.Level]
	if !ok {
		return nil, errors.New("a level of signature that is none")
	}
	r := sign.Request{Level: level, Time: o.At, Name: o.Name, Reason: o.Reason, Tool: "Vidimus"}
	certificate, err := x509.ParseCertificate(s.Chain()[0])
	if err != nil {
		return nil, fmt.Errorf("reading the signer's certificate: %w", err)
	}
	for _, p := range o.Places {
		look, err := drawn(p, o, certificate)
		if err != nil {
			return nil, err
		}
		r.Places = append(r.Places, sign.Place{Spot: p.Spot, Appearance: look})
	}
	return sign.Sign(ctx, content, r, credential{s})
}

// credential is sign.Credential over a session.
type credential struct{ signing.Session }

func (c credential) Validation(ctx context.Context) (sign.Validation, error) {
	v, err := c.Session.Validation(ctx)
	return sign.Validation(v), err
}

// signedOn is what a seal says beside the signer's name, by language: when, and the first
// digits of the certificate's serial number.
var signedOn = map[string]string{"de": "Signiert %s · Zert. %s…", "en": "Signed %s · cert. %s…"}

// serialDigits is how many of them a seal shows: enough to find the certificate.
const serialDigits = 8

// drawn draws what a signature looks like at a place.
func drawn(p signing.Place, o signing.Order, certificate *x509.Certificate) (sign.Appearance, error) {
	width, height := appearance.Upright(p.Spot)
	if p.Type == esign.Handwritten {
		strokes := make([][]appearance.Point, len(p.Hand))
		for i, s := range p.Hand {
			for _, point := range s {
				strokes[i] = append(strokes[i], appearance.Point{X: point.X, Y: point.Y})
			}
		}
		return appearance.Handwritten{Width: width, Height: height, Strokes: strokes}.Form(), nil
	}
	serial := strings.ToUpper(fmt.Sprintf("%032x", certificate.SerialNumber))[:serialDigits]
	second := p.FontSize2
	if second == 0 {
		second = p.FontSize
	}
	seal := appearance.Electronic{Width: width, Height: height, Lines: []appearance.Line{
		{Text: o.Name, Size: p.FontSize}, {Text: fmt.Sprintf(signedOn[o.Language], o.At.UTC().Format("2006-01-02 15:04:05 UTC"), serial), Size: second},
	}}
	if !p.Image.IsZero() {
		image, err := appearance.ReadSeal(p.Image)
		if err != nil {
			return nil, fmt.Errorf("reading a seal: %w", err)
		}
		seal.Seal = image
	}
	return seal.Form(), nil
}
