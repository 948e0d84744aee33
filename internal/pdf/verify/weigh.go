package verify

import (
	"crypto"
	"crypto/x509"
	"slices"
	"time"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/proof"
)

// weigh judges trust, from the last signature to the first: a document time-stamp proves that
// what it covers was there, so that the certificates of earlier ones are looked at as of then.
// Where the work has to end before, j.over says why.
func (j *judge) weigh() {
	var proofs []*record // document time-stamps that count, the latest first
	for i := range slices.Backward(j.records) {
		r := &j.records[i]
		if j.over != nil {
			return
		}
		if r.cert == nil {
			r.out.Distrust = "its certificate is not there"
			r.conclude()
			continue
		}
		by := earliest(proofs, r.end)
		known := j.Now
		if by != nil {
			known = by.out.Time.At
		}
		if r.token != nil {
			j.weighDocumentStamp(r, known)
			if r.out.Trusted && r.out.Intact() {
				proofs = append(proofs, r)
			}
		} else {
			j.weighSignature(r, by, known)
		}
		r.conclude()
	}
	for i := range j.records {
		j.records[i].grade(proofs)
	}
}

// earliest is the first of the proofs that covers everything up to a byte.
func earliest(proofs []*record, end int) (found *record) {
	for _, p := range proofs {
		if p.end > end && (found == nil || p.out.Time.At.Before(found.out.Time.At)) {
			found = p
		}
	}
	return found
}

func (j *judge) weighDocumentStamp(r *record, known time.Time) {
	s := j.stampOver(r.token, cms.Findings{}, known)
	r.stamps, r.path = []stamp{s}, s.path
	r.trust(s.trouble)
	r.out.Time = proof.Time{At: s.at, By: s.by, Source: "document time-stamp"}
}

func (j *judge) weighSignature(r *record, by *record, known time.Time) {
	when := proof.Time{}
	if by != nil {
		when = proof.Time{At: known, By: by.out.Signer, Source: "document time-stamp"}
	}
	for n, b := range r.signer.Timestamps {
		if n == 8 || !j.may(checkCost) {
			break
		}
		t, err := cms.ParseToken(b)
		if err != nil {
			when.Faults = append(when.Faults, err.Error())
			continue
		}
		j.take(t.SignedData)
		s := j.stampOver(t, t.Verify(sum(t.Info.Hash, r.signer.Signature), nil), known)
		r.stamps = append(r.stamps, s)
		switch {
		case !s.trusted:
			when.Faults = append(when.Faults, s.trouble.Error())
		case when.At.IsZero() || s.at.Before(when.At):
			when.At, when.By, when.Source = s.at, s.by, "signature time-stamp"
		}
	}
	r.out.Time = when
	at := j.Now
	if !when.At.IsZero() {
		at = when.At
	}
	r.path = j.material.judge(r.cert, at, x509.ExtKeyUsageAny)
	trouble := r.path.trouble
	if trouble == nil {
		trouble = maySign(r.cert)
	}
	if trouble == nil {
		trouble = outworn(at, r.hashes()...)
	}
	r.trust(trouble)
}

// hashes are those that a signature's word about the document rests on.
func (r *record) hashes() []crypto.Hash {
	all := []crypto.Hash{r.signer.Hash, r.signer.SignatureHash()}
	if r.out.SubFilter == pkcs7SHA1 {
		all = append(all, crypto.SHA1)
	}
	return all
}

// trust notes whom a signature rests on.
func (r *record) trust(trouble error) {
	r.out.Chain = r.path.certs
	if r.out.Trusted = trouble == nil; !r.out.Trusted {
		r.out.Distrust = trouble.Error()
	}
}

// conclude comes to a verdict.
func (r *record) conclude() {
	o := &r.out
	o.Verdict = proof.Valid
	if !o.Trusted {
		o.Verdict = proof.Unknown
		o.Because = append(o.Because, o.Distrust)
	}
	if r.path.revoked {
		o.Verdict = proof.Invalid
	}
	for _, c := range o.Changes {
		if !c.Allowed {
			o.Verdict = proof.Invalid
			o.Because = append(o.Because, "changed afterwards: "+c.What)
		}
	}
	if !o.Intact() {
		o.Verdict = proof.Invalid
		o.Because = append(slices.Clone(o.Broken), o.Because...)
	}
}

// grade finds the level of PAdES that a signature has (EN 319 142-1, 6.1), and what it lacks
// for the next.
func (r *record) grade(proofs []*record) {
	o := &r.out
	if o.Kind == proof.Timestamp || len(o.Lacks) > 0 || r.signer == nil {
		return
	}
	o.Level = "B-B"
	stamped := slices.IndexFunc(r.stamps, func(s stamp) bool { return s.intact })
	later := earliest(proofs, r.end)
	if stamped < 0 && later == nil {
		o.Lacks = []string{"no time-stamp"}
		return
	}
	o.Level = "B-T"
	if !r.path.within {
		o.Lacks = append(o.Lacks, "the document does not say whether the signer's certificates were revoked")
	}
	if stamped >= 0 && !r.stamps[stamped].path.within {
		o.Lacks = append(o.Lacks, "the document does not say whether the time-stamp authority's certificates were revoked")
	}
	if len(o.Lacks) > 0 {
		return
	}
	o.Level = "B-LT"
	if !slices.ContainsFunc(proofs, func(p *record) bool { return p.end > r.end && p.stored }) {
		o.Lacks = []string{"no document time-stamp over the validation data"}
		return
	}
	o.Level = "B-LTA"
}

// maySign says whether a certificate is for signing.
func maySign(c *x509.Certificate) error {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return errNotForSigning
	}
	return nil
}
