// Package verify judges the signatures of a PDF, whoever made them: whether the document is
// what was signed, how much of it, by whom, on whose word, when, and what was changed since
// (chapter 7; ETSI EN 319 142-1 and EN 319 102-1, ISO 32000-2, 12.8).
//
// It reads with a reader of its own, which takes a file as it stood at the end of any of its
// revisions and repairs nothing: what can be read in two ways is not judged to be valid. It
// fetches nothing. Time and memory are bounded whatever the file says.
package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"vidimus/internal/domain/cms"
	"vidimus/internal/domain/proof"
)

// MaxSize is how large a file may be, in bytes.
const MaxSize = 64 << 20

// Options are what a document is judged by.
type Options struct {
	Roots []*x509.Certificate // that are trusted, to sign, to stamp, and to speak of revocation
	CRLs  [][]byte            // DER, beside what the document brings along
	Now   time.Time
}

// Errors of files about which there is nothing to say.
var (
	ErrNoPDF         = errHeader
	ErrUnsigned      = errors.New("it has no signature")
	ErrEncrypted     = errors.New("it is encrypted, which is not judged here")
	errNotForSigning = errors.New("its certificate is not for signing")
	ErrTooLarge      = fmt.Errorf("it is larger than %d MiB", MaxSize>>20)
)

// judge is the work on one file.
type judge struct {
	Options
	material
	doc     *document
	signed  []signed
	records []record
}

// record is a signature while it is being judged.
type record struct {
	*signed
	message
	out    proof.Signature
	path   path
	stamps []stamp // trusted or not, those in the signature itself
	prefix *document
	stored bool // the document security store was there when it was made
	locks  []lock
}

// stamp is a judged time-stamp.
type stamp struct {
	at      time.Time
	by      string
	intact  bool
	trusted bool
	path    path
	trouble error
}

// File judges a PDF. The error is one of the above, or says why nothing can be said of it;
// that of a context that ended is among them.
func File(ctx context.Context, data []byte, o Options) (proof.Report, error) {
	report := proof.Report{Size: len(data)}
	if len(data) > MaxSize {
		return report, ErrTooLarge
	}
	j := &judge{Options: o}
	var err error
	if j.doc, err = open(data, newBudget(ctx)); err != nil {
		return report, err
	}
	report.Revisions = revisions(j.doc.sections)
	if j.doc.trailer["Encrypt"] != nil {
		return report, ErrEncrypted
	}
	fields, err := j.doc.fields()
	if err != nil {
		return report, err
	}
	if j.signed, err = j.doc.signatures(fields); err != nil {
		return report, err
	}
	if len(j.signed) == 0 {
		return report, ErrUnsigned
	}
	slices.SortStableFunc(j.signed, func(a, b signed) int { return a.end - b.end })
	if err := j.prepare(); err != nil {
		return report, err
	}
	for i := range j.signed {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		if err := j.look(&j.signed[i]); err != nil {
			return report, err
		}
	}
	if j.weigh(); j.over != nil {
		return report, j.over
	}
	for _, r := range j.records {
		report.Signatures = append(report.Signatures, r.out)
	}
	return report, nil
}

// prepare fills the material.
func (j *judge) prepare() error {
	j.material = material{roots: x509.NewCertPool(), between: x509.NewCertPool(), budget: j.doc.budget, anchors: j.Roots, now: j.Now}
	for _, r := range j.Roots {
		j.roots.AddCert(r)
	}
	for _, c := range j.CRLs {
		j.addAnswer(c, false, given)
	}
	return j.gather(j.doc)
}

// revisions counts sections, but not the second one of a file that is written for viewing
// over the net: its first stands before its second.
func revisions(sections []int) int {
	n := 0
	for i, at := range sections {
		if i == len(sections)-1 || at > sections[i+1] {
			n++
		}
	}
	return n
}

// look judges what needs no trust: the range, the message, the digest, what changed since.
func (j *judge) look(s *signed) error {
	r := record{signed: s}
	subFilter, err := j.doc.resolve(s.dict["SubFilter"])
	if err != nil {
		return err
	}
	kind, _ := subFilter.(name)
	r.out = proof.Signature{Field: s.field.name, Kind: proof.Approval, SubFilter: string(kind)}
	if kind == rfc3161 {
		r.out.Kind = proof.Timestamp
	}
	if s.strange != nil {
		r.out.Broken = append(r.out.Broken, s.strange.Error())
		j.records = append(j.records, r)
		return nil
	}
	r.message = s.judge(j.doc.data, string(kind))
	for _, err := range r.faults {
		r.out.Broken = append(r.out.Broken, err.Error())
	}
	if r.data != nil {
		j.take(r.data)
	}
	if r.cert != nil {
		r.out.Signer = subject(r.cert.Subject)
	}
	if r.signer != nil {
		r.out.Hash = r.signer.HashName
	}
	s.claimed(j.doc, r.message, &r.out)
	if err := j.certifies(&r); err != nil {
		return err
	}
	if err := j.cover(&r); err != nil {
		return err
	}
	if kind != rfc3161 {
		r.out.Lacks = s.lacks(j.doc, string(kind), r.message)
	}
	j.records = append(j.records, r)
	return nil
}

// cover finds the revision that a signature is over, and what changed after it.
func (j *judge) cover(r *record) error {
	data := j.doc.data
	r.out.Coverage = proof.Coverage{
		Signed: r.end - (r.to - r.from), Own: r.to - r.from, Outside: len(data) - r.end, Of: revisions(j.doc.sections),
	}
	broken := func(text string) error {
		r.out.Broken = append(r.out.Broken, text)
		return nil
	}
	if !r.within(j.doc) {
		return broken("it does not sign its own dictionary")
	}
	prefix, err := open(data[:r.end], j.doc.budget)
	if fatal(err) && !errors.Is(err, errHeader) {
		return err
	}
	if err != nil {
		return broken("what it signs is no whole document: " + err.Error())
	}
	at := slices.Index(j.doc.sections, prefix.sections[0])
	if at < 0 {
		return broken("what it signs is no revision of the document that is shown")
	}
	if tail := data[max(0, r.end-8):r.end]; !bytes.HasSuffix(bytes.TrimRight(tail, "\r\n"), []byte("%%EOF")) {
		return broken("what it signs does not end where a revision ends")
	}
	num := r.object.num
	if num == 0 {
		num = r.field.object.num
	}
	if prefix.entries[num] != j.doc.entries[num] {
		return broken("its dictionary was replaced later")
	}
	shown, err := prefix.shows(num)
	if fatal(err) {
		return err
	}
	if err != nil || !shown {
		return broken("the revision that it signs does not have it in a field of the form")
	}
	r.prefix = prefix
	r.out.Coverage.Revision = revisions(j.doc.sections[at:])
	return j.changes(r, prefix, at == 0)
}

// shows says whether a field has the signature that is, or stands in, an object.
func (d *document) shows(num int) (bool, error) {
	fields, err := d.fields()
	if err != nil {
		return false, err
	}
	found, err := d.signatures(fields)
	return slices.ContainsFunc(found, func(s signed) bool {
		return s.object.num == num || s.object.num == 0 && s.field.object.num == num
	}), err
}

func (j *judge) changes(r *record, prefix *document, last bool) error {
	root, err := prefix.dictOf(prefix.trailer["Root"])
	if err != nil {
		return err
	}
	r.stored = root["DSS"] != nil
	rest := j.doc.data[r.end:]
	if last {
		if n := trailing(rest); n > 0 {
			r.out.Changes = append(r.out.Changes, proof.Change{Difference: proof.Other, What: fmt.Sprintf("%d bytes stand behind it that belong to no revision", n)})
		}
		return nil
	}
	if r.out.Changes, err = compare(prefix, j.doc, r.locks); errors.Is(err, errSyntax) {
		r.out.Changes, err = append(r.out.Changes, proof.Change{Difference: proof.Other, What: "what changed cannot be told: " + err.Error()}), nil
	}
	for i := range r.out.Changes {
		c := &r.out.Changes[i]
		c.Allowed = allowed(c.Difference, r.out.Permits)
	}
	return err
}

// allowed says which changes a signature stands: what it certifies, or else further
// signatures and forms.
func allowed(d proof.Difference, permits int) bool {
	switch d {
	case proof.Archive:
		return true
	case proof.Signing, proof.Form:
		return permits != 1
	case proof.Annotations:
		return permits == 3
	default:
		return false
	}
}

// stampOver judges a time-stamp token over data, at a time by which it is known to have been
// there.
func (j *judge) stampOver(t *cms.Token, findings cms.Findings, at time.Time) stamp {
	s := stamp{at: t.Info.Time, trouble: findings.Err()}
	s.intact = s.trouble == nil
	cert := t.Signers[0].Certificate
	if cert == nil {
		return s
	}
	s.by = subject(cert.Subject)
	s.path = j.material.judge(cert, at, x509.ExtKeyUsageTimeStamping)
	switch {
	case !s.intact:
	case s.path.trouble != nil:
		s.trouble = s.path.trouble
	case s.at.After(j.Now.Add(skew)):
		s.trouble = errors.New("it is of the future")
	default:
		s.trouble = outworn(at, t.Info.Hash, t.Signers[0].Hash, t.Signers[0].SignatureHash())
	}
	s.trusted = s.trouble == nil
	return s
}
