package verify

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/proof"
)

const (
	maxMaterial = 512     // certificates, and as many OCSP answers and CRLs, that a document brings
	maxChain    = 10      // certificates
	maxOne      = 8 << 20 // bytes of one of them
	maxOCSP     = 32 << 10
)

// material is what there is to judge certificates by: what the caller trusts and gives, and
// what the document brings along.
type material struct {
	roots   *x509.CertPool
	anchors []*x509.Certificate
	certs   []*x509.Certificate
	answers []*answer
	now     time.Time
	between *x509.CertPool // of certs
	budget  *budget
	over    error // why the work had to end; what was found since does not count
}

// may is asked before each check; false: no more.
func (m *material) may(steps int) bool {
	if m.over == nil {
		m.over = m.budget.spend(steps)
	}
	return m.over == nil
}

// maxKey is how long an RSA key may be, in bits: the time to check by one grows with its square.
const maxKey = 16384

// slow says whether it would take too long to check anything by a certificate.
func slow(c *x509.Certificate) bool {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	return ok && key.N.BitLen() > maxKey
}

// gather reads the document security store (ISO 32000-2, 12.8.4.3).
func (m *material) gather(d *document) error {
	root, err := d.dictOf(d.trailer["Root"])
	if err != nil {
		return err
	}
	store, err := d.dictOf(root["DSS"])
	if err != nil || store == nil {
		return err
	}
	for _, part := range []struct {
		key name
		add func([]byte)
	}{
		{"Certs", m.addCertificate},
		{"OCSPs", func(b []byte) { m.addAnswer(b, true, inDocument) }},
		{"CRLs", func(b []byte) { m.addAnswer(b, false, inDocument) }},
	} {
		list, err := d.arrayOf(store[part.key])
		if err != nil {
			return err
		}
		if len(list) > maxMaterial {
			return errMuch
		}
		for _, one := range list {
			v, err := d.resolve(one)
			if err != nil {
				return err
			}
			s, ok := v.(*stream)
			if !ok {
				continue
			}
			b, err := d.decode(s)
			if fatal(err) {
				return err
			}
			if err == nil && len(b) <= maxOne {
				part.add(b)
			}
		}
	}
	return nil
}

// take adds what a message carries.
func (m *material) take(d *cms.SignedData) {
	for _, c := range d.Certificates {
		m.addParsed(c)
	}
	signers := slices.Clone(d.OCSPs)
	crls := slices.Clone(d.CRLs)
	for _, s := range d.Signers {
		signers, crls = append(signers, s.OCSPs...), append(crls, s.CRLs...)
	}
	for _, b := range signers {
		m.addAnswer(b, true, inDocument)
	}
	for _, b := range crls {
		m.addAnswer(b, false, inDocument)
	}
}

func (m *material) addCertificate(b []byte) {
	if c, err := x509.ParseCertificate(b); err == nil {
		m.addParsed(c)
	}
}

func (m *material) addParsed(c *x509.Certificate) {
	if len(m.certs) < 2*maxMaterial && !slow(c) && !slices.ContainsFunc(m.certs, c.Equal) {
		m.certs = append(m.certs, c)
		m.between.AddCert(c)
	}
}

// isAnchor says whether a certificate is one of those that are trusted.
func (m *material) isAnchor(c *x509.Certificate) bool { return slices.ContainsFunc(m.anchors, c.Equal) }

// chain returns the way from a certificate to a root at a time, or as far as it goes and why
// it is not trusted.
func (m *material) chain(leaf *x509.Certificate, at time.Time, usage x509.ExtKeyUsage) ([]*x509.Certificate, error) {
	if slow(leaf) {
		return []*x509.Certificate{leaf}, errors.New("its key is too long to be judged")
	}
	if !m.may(maxChain * checkCost) {
		return []*x509.Certificate{leaf}, m.over
	}
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: m.roots, Intermediates: m.between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	if err == nil {
		return chains[0], nil
	}
	way := []*x509.Certificate{leaf}
	for c := leaf; len(way) < maxChain; {
		if m.isAnchor(c) || bytes.Equal(c.RawIssuer, c.RawSubject) {
			break
		}
		next := m.issuer(c)
		if next == nil {
			break
		}
		way, c = append(way, next), next
	}
	return way, m.explain(way, at, usage, err)
}

// issuer finds who issued a certificate; nil when nobody at hand did.
func (m *material) issuer(c *x509.Certificate) *x509.Certificate {
	for _, list := range [][]*x509.Certificate{m.anchors, m.certs} {
		for _, i := range list {
			if !bytes.Equal(i.RawSubject, c.RawIssuer) {
				continue
			}
			if !m.may(checkCost) {
				return nil
			}
			if c.CheckSignatureFrom(i) == nil {
				return i
			}
		}
	}
	return nil
}

// explain says in plain words why a chain is not trusted.
func (m *material) explain(way []*x509.Certificate, at time.Time, usage x509.ExtKeyUsage, err error) error {
	last := way[len(way)-1]
	if !m.isAnchor(last) {
		if bytes.Equal(last.RawIssuer, last.RawSubject) {
			return fmt.Errorf("it rests on %s, which is not among the roots that are trusted", subject(last.Subject))
		}
		return fmt.Errorf("it rests on %s, whose certificate is not at hand", subject(last.Issuer))
	}
	for _, c := range way {
		if at.After(c.NotAfter) {
			return fmt.Errorf("the certificate of %s expired at %s, and nothing that counts proves an earlier time", subject(c.Subject), stampOf(c.NotAfter))
		}
		if at.Before(c.NotBefore) {
			return fmt.Errorf("the certificate of %s is not valid before %s", subject(c.Subject), stampOf(c.NotBefore))
		}
	}
	if leaf := way[0]; usage == x509.ExtKeyUsageTimeStamping && !slices.Contains(leaf.ExtKeyUsage, usage) {
		return errors.New("its certificate is not for time-stamps")
	}
	return err
}

func stampOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// subject is a name for people, the most particular part first.
func subject(n pkix.Name) string {
	parts := make([]string, 0, len(n.Names))
	for _, a := range slices.Backward(n.Names) {
		key := a.Type.String()
		if known, ok := attributes[key]; ok {
			key = known
		}
		parts = append(parts, fmt.Sprintf("%s=%v", key, a.Value))
	}
	return strings.ToValidUTF8(strings.Join(parts, ", "), "\uFFFD")
}

// attributes are the parts of names that have short names.
var attributes = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
	"2.5.4.12": "title", "2.5.4.42": "GN", "2.5.4.65": "pseudonym", "2.5.4.97": "organizationIdentifier", "1.2.840.113549.1.9.1": "E",
	"0.9.2342.19200300.100.1.25": "DC",
}

// path is a judged chain.
type path struct {
	certs   []proof.Certificate
	trouble error // why it is not trusted
	revoked bool
	within  bool // the document itself answers for every certificate that has to be asked for
}

// judge follows a certificate to a root and looks whether any on the way was revoked at the
// time that counts.
func (m *material) judge(leaf *x509.Certificate, at time.Time, usage x509.ExtKeyUsage) path {
	way, err := m.chain(leaf, at, usage)
	p := path{trouble: err, within: true}
	for i, c := range way {
		one := proof.Certificate{
			Subject: subject(c.Subject), Issuer: subject(c.Issuer), Serial: fmt.Sprintf("%x", c.SerialNumber),
			From: c.NotBefore.UTC(), To: c.NotAfter.UTC(), Root: m.isAnchor(c),
		}
		switch {
		case one.Root || i == len(way)-1 && bytes.Equal(c.RawIssuer, c.RawSubject) || needsNoAnswer(c):
			one.Revocation.Status = proof.NotNeeded
		case i+1 < len(way):
			one.Revocation = m.revocation(c, way[i+1], at)
		default:
			one.Revocation.Status = proof.NoAnswer
		}
		switch r := one.Revocation; {
		case r.Status == proof.Revoked:
			p.revoked = true
			p.trouble = fmt.Errorf("the certificate of %s was revoked at %s", one.Subject, stampOf(r.At))
		case r.Status == proof.NoAnswer, r.Status == proof.Good && r.Within != inDocument:
			p.within = false
		}
		p.certs = append(p.certs, one)
	}
	return p
}
