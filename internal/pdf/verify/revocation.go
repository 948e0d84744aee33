package verify

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"vidimus/internal/domain/proof"
)

// Where an answer came from.
const (
	inDocument = "document"
	given      = "given"
)

// patience is how old an answer may be that does not say how long it is right.
const patience = 24 * time.Hour

// skew is how far a clock of others may be ahead of ours.
const skew = 5 * time.Minute

// answer is an OCSP answer or a CRL.
type answer struct {
	der    []byte
	isOCSP bool
	crl    *x509.RevocationList
	within string
	by     map[*x509.Certificate]bool // of a CRL: whether this one signed it
}

func (m *material) addAnswer(b []byte, isOCSP bool, within string) {
	same := func(a *answer) bool { return a.isOCSP == isOCSP && bytes.Equal(a.der, b) }
	if n := slices.IndexFunc(m.answers, same); n >= 0 {
		if within == inDocument {
			m.answers[n].within = within // what was given lies in the document too
		}
		return
	}
	if len(m.answers) >= 2*maxMaterial || isOCSP && len(b) > maxOCSP {
		return
	}
	a := &answer{der: b, isOCSP: isOCSP, within: within, by: map[*x509.Certificate]bool{}}
	if !isOCSP {
		var err error
		if a.crl, err = x509.ParseRevocationList(b); err != nil {
			return
		}
	}
	m.answers = append(m.answers, a)
}

var (
	oidNoCheck   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5} // RFC 6960: a responder that is not asked about
	oidShortTerm = asn1.ObjectIdentifier{0, 4, 0, 194121, 2, 1}         // EN 319 412-1: too short-lived to be revoked
	oidDelta     = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidPoint     = asn1.ObjectIdentifier{2, 5, 29, 28}
)

func needsNoAnswer(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(oidNoCheck) || e.Id.Equal(oidShortTerm) {
			return true
		}
	}
	return false
}

// revocation looks for what is known about a certificate at a time. One that says revoked
// beats any that does not, and what the document brings along beats what was given: the level
// rests on the former.
func (m *material) revocation(c, issuer *x509.Certificate, at time.Time) proof.Revocation {
	best := proof.Revocation{Status: proof.NoAnswer}
	for _, a := range m.answers {
		if !m.may(a.cost(issuer)) {
			return proof.Revocation{Status: proof.NoAnswer}
		}
		r := a.about(c, issuer, at, m.now)
		if r.Status == proof.Revoked {
			return r
		}
		if r.Status == proof.Good && (best.Status == proof.NoAnswer || best.Within == given && r.Within == inDocument) {
			best = r
		}
	}
	return best
}

// cost is what it takes to look into an answer, in tokens. An OCSP answer brings keys, which
// may be as long as it is itself.
func (a *answer) cost(issuer *x509.Certificate) int {
	long := max(1, len(a.der)/2048)
	switch _, known := a.by[issuer]; {
	case a.isOCSP:
		return answerCost * long * long
	case !bytes.Equal(a.crl.RawIssuer, issuer.RawSubject):
		return 1
	case known:
		return 1 + len(a.crl.RevokedCertificateEntries)/listedPer
	}
	return checkCost + len(a.crl.RevokedCertificateEntries)/listedPer
}

// about is what one answer says; the status is NoAnswer when it says nothing that counts.
func (a *answer) about(c, issuer *x509.Certificate, at, now time.Time) proof.Revocation {
	none := proof.Revocation{Status: proof.NoAnswer}
	var revokedAt, from, until time.Time
	source := "CRL"
	if a.isOCSP {
		source = "OCSP"
		r := a.response(c, issuer)
		if r == nil || r.Status != ocsp.Good && r.Status != ocsp.Revoked {
			return none
		}
		from, until = r.ThisUpdate, r.NextUpdate
		if r.Status == ocsp.Revoked {
			revokedAt = r.RevokedAt
		}
	} else {
		if !a.signedBy(issuer) || !a.covers(c) {
			return none
		}
		from, until = a.crl.ThisUpdate, a.crl.NextUpdate
		for _, e := range a.crl.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
				revokedAt = e.RevocationTime
			}
		}
	}
	if from.After(now.Add(skew)) {
		return none
	}
	out := proof.Revocation{Status: proof.Good, Source: source, Within: a.within, As: from.UTC()}
	if !revokedAt.IsZero() && !revokedAt.After(at) {
		out.Status, out.At = proof.Revoked, revokedAt.UTC()
		return out
	}
	if from.Before(at) { // then it must still have been right
		if until.IsZero() {
			until = from.Add(patience)
		}
		if until.Before(at) {
			return none
		}
	} else if from.After(c.NotAfter) { // after a certificate's end nobody keeps lists of it
		return none
	}
	return out
}

// response reads an OCSP answer about a certificate, signed by its issuer or by one whom the
// issuer appointed; nil when it is not.
func (a *answer) response(c, issuer *x509.Certificate) *ocsp.Response {
	r, err := ocsp.ParseResponseForCert(a.der, c, issuer)
	if err != nil {
		// The issuer's own certificate may lie beside its answer.
		r, err = ocsp.ParseResponseForCert(a.der, c, nil)
		if err != nil || r.Certificate == nil || !r.Certificate.Equal(issuer) {
			return nil
		}
	}
	if by := r.Certificate; by != nil && !by.Equal(issuer) {
		if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) || r.ProducedAt.Before(by.NotBefore) || r.ProducedAt.After(by.NotAfter) {
			return nil
		}
	}
	return r
}

func (a *answer) signedBy(issuer *x509.Certificate) bool {
	if known, ok := a.by[issuer]; ok {
		return known
	}
	is := bytes.Equal(a.crl.RawIssuer, issuer.RawSubject) && a.crl.CheckSignatureFrom(issuer) == nil
	a.by[issuer] = is
	return is
}

// covers says whether a CRL lists certificates of this sort: not only changes, not only
// those of authorities, not for some reasons alone (RFC 5280, 5.2.5).
func (a *answer) covers(c *x509.Certificate) bool {
	for _, e := range a.crl.Extensions {
		if e.Id.Equal(oidDelta) {
			return false
		}
		if !e.Id.Equal(oidPoint) {
			continue
		}
		var p struct {
			Point      asn1.RawValue  `asn1:"optional,tag:0"`
			Users      bool           `asn1:"optional,tag:1"`
			CAs        bool           `asn1:"optional,tag:2"`
			Reasons    asn1.BitString `asn1:"optional,tag:3"`
			Indirect   bool           `asn1:"optional,tag:4"`
			Attributes bool           `asn1:"optional,tag:5"`
		}
		if rest, err := asn1.Unmarshal(e.Value, &p); err != nil || len(rest) > 0 {
			return false
		}
		if p.Indirect || p.Attributes || p.Reasons.BitLength > 0 || p.Users && c.IsCA || p.CAs && !c.IsCA {
			return false
		}
	}
	return true
}
