package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/proof"
	"vidimus/internal/server/web"
)

// maxPDF is how large a document may be that is to be judged.
const maxPDF = 64 << 20

// judgingTime is how long the judging of one document may take, and judgingMost how many are
// judged at once; sendingMost is how many are in memory, those that still arrive among them.
const (
	judgingTime = 30 * time.Second
	judgingMost = 2
	sendingMost = 8
)

// verify judges the signatures of the PDF in the body: an addition to chapter 7. Nothing of
// it is kept.
func (g *Gateway) verify(w http.ResponseWriter, r *http.Request) error {
	if _, err := g.byToken(r); err != nil {
		return err
	}
	if kind := r.Header.Get("Content-Type"); kind != "" && kind != "application/pdf" && kind != "application/octet-stream" {
		return fault.New(fault.UnsupportedContent, "The Content-Type must be application/pdf").In("Content-Type")
	}
	tooLarge := fault.New(fault.TooLarge, "The body is larger than %d bytes", maxPDF)
	if r.ContentLength > maxPDF {
		return tooLarge
	}
	select {
	case g.sending <- struct{}{}:
		defer func() { <-g.sending }()
	default:
		return fault.New(fault.Unavailable, "%d documents are being judged: try again later", sendingMost)
	}
	pdf, err := io.ReadAll(http.MaxBytesReader(w, io.NopCloser(web.Patiently(w, r)), maxPDF))
	if past := (*http.MaxBytesError)(nil); errors.As(err, &past) {
		return tooLarge
	}
	if err != nil {
		return fault.New(fault.Invalid, "the body could not be read").Because(err)
	}
	// Each takes memory, several times the size of the file: few at a time.
	select {
	case g.judging <- struct{}{}:
		defer func() { <-g.judging }()
	case <-r.Context().Done():
		return r.Context().Err()
	}
	ctx, cancel := context.WithTimeout(r.Context(), judgingTime)
	defer cancel()
	report, err := g.Verify(ctx, pdf)
	if errors.Is(err, context.DeadlineExceeded) && r.Context().Err() == nil {
		return fault.New(fault.Invalid, "nothing can be said of this file: it takes too long")
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, Verification(report))
	return nil
}

// verification is a report as the API answers it.
type verification struct {
	Valid      bool                `json:"valid"`
	Size       int                 `json:"size"`
	Revisions  int                 `json:"revisions"`
	Signatures []verifiedSignature `json:"signatures"`
}

type verifiedSignature struct {
	Field     string                `json:"field"`
	Kind      proof.Kind            `json:"kind"`
	Verdict   proof.Verdict         `json:"verdict"`
	Reasons   []string              `json:"reasons"`
	SubFilter string                `json:"subFilter"`
	Level     *string               `json:"level"`
	Lacks     []string              `json:"lacks"`
	Signer    string                `json:"signer"`
	Hash      string                `json:"hash"`
	Intact    bool                  `json:"intact"`
	Trusted   bool                  `json:"trusted"`
	Coverage  verifiedCoverage      `json:"coverage"`
	Time      verifiedTime          `json:"time"`
	Chain     []verifiedCertificate `json:"chain"`
	Permits   *int                  `json:"permits"`
	Changes   []verifiedChange      `json:"changes"`
}

type verifiedCoverage struct {
	Whole     bool `json:"whole"`
	Revision  int  `json:"revision"`
	Revisions int  `json:"revisions"`
	Signed    int  `json:"signedBytes"`
	Outside   int  `json:"outsideBytes"`
}

type verifiedTime struct {
	Proven  *string  `json:"proven"`
	By      string   `json:"by"`
	Source  string   `json:"source"`
	Claimed *string  `json:"claimed"`
	Faults  []string `json:"faults"`
}

type verifiedCertificate struct {
	Subject    string             `json:"subject"`
	Issuer     string             `json:"issuer"`
	Serial     string             `json:"serial"`
	NotBefore  string             `json:"notBefore"`
	NotAfter   string             `json:"notAfter"`
	Root       bool               `json:"trustedRoot"`
	Revocation verifiedRevocation `json:"revocation"`
}

type verifiedRevocation struct {
	Status proof.Status `json:"status"`
	Source string       `json:"source"`
	Within string       `json:"within"`
	As     *string      `json:"as"`
	At     *string      `json:"at"`
}

type verifiedChange struct {
	Kind    proof.Difference `json:"kind"`
	What    string           `json:"what"`
	Allowed bool             `json:"allowed"`
}

// Verification is a report as the API answers it, ready to be encoded.
func Verification(r proof.Report) any {
	v := verification{Valid: r.Valid(), Size: r.Size, Revisions: r.Revisions, Signatures: []verifiedSignature{}}
	for _, s := range r.Signatures {
		v.Signatures = append(v.Signatures, verified(s))
	}
	return v
}

func verified(s proof.Signature) verifiedSignature {
	v := verifiedSignature{
		Field: s.Field, Kind: s.Kind, Verdict: s.Verdict, Reasons: texts(s.Because), SubFilter: s.SubFilter, Lacks: texts(s.Lacks),
		Signer: s.Signer, Hash: s.Hash, Intact: s.Intact(), Trusted: s.Trusted,
		Coverage: verifiedCoverage{
			Whole: s.Coverage.Whole(), Revision: s.Coverage.Revision, Revisions: s.Coverage.Of, Signed: s.Coverage.Signed, Outside: s.Coverage.Outside,
		},
		Time:  verifiedTime{Proven: instant(s.Time.At), By: s.Time.By, Source: s.Time.Source, Claimed: instant(s.Claimed), Faults: texts(s.Time.Faults)},
		Chain: []verifiedCertificate{}, Changes: []verifiedChange{},
	}
	if s.Level != "" {
		v.Level = &s.Level
	}
	if s.Permits != 0 {
		v.Permits = &s.Permits
	}
	for _, c := range s.Chain {
		v.Chain = append(v.Chain, verifiedCertificate{
			Subject: c.Subject, Issuer: c.Issuer, Serial: c.Serial, NotBefore: c.From.UTC().Format(time.RFC3339), NotAfter: c.To.UTC().Format(time.RFC3339), Root: c.Root,
			Revocation: verifiedRevocation{
				Status: c.Revocation.Status, Source: c.Revocation.Source, Within: c.Revocation.Within, As: instant(c.Revocation.As), At: instant(c.Revocation.At),
			},
		})
	}
	for _, c := range s.Changes {
		v.Changes = append(v.Changes, verifiedChange{Kind: c.Difference, What: c.What, Allowed: c.Allowed})
	}
	return v
}

// texts makes a list that is never null.
func texts(list []string) []string { return append([]string{}, list...) }

// instant is a time as RFC 3339; nil when there is none.
func instant(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(time.RFC3339)
	return &s
}
