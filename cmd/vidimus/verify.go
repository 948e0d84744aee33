package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/proof"
	"vidimus/internal/pdf/verify"
	"vidimus/internal/server/gateway"
	"vidimus/internal/trust/ca"
)

type verifyCommand struct {
	stateFlags `embed:""`
	Files      []string `arg:"" name:"file" help:"The PDFs."`
	Roots      []string `placeholder:"FILE" help:"Certificates to trust beside the root of this installation, PEM or DER."`
	CRLs       []string `name:"crls" placeholder:"FILE" help:"Lists of revoked certificates, PEM or DER, beside those in the PDFs."`
	Only       bool     `help:"Trust what --roots names alone, and look at no installation."`
	JSON       bool     `help:"Print JSON, as the API answers it."`
}

// exit is an error that ends the program with a code of its own.
type exit struct {
	error
	code int
}

// Run judges the signatures of files. It ends with 0 if every signature of every file is
// valid, with 1 if one is not, with 2 if there is nothing to judge: no PDF, no signature, an
// encrypted file.
func (v *verifyCommand) Run(ctx context.Context) error {
	options, err := v.options(ctx)
	if err != nil {
		return exit{err, 2}
	}
	code := 0
	for n, file := range v.Files {
		report, err := judgeFile(ctx, file, options)
		switch {
		case err != nil:
			code = 2
			fmt.Fprintf(os.Stderr, "vidimus: %s: %v\n", file, err)
			continue
		case !report.Valid():
			code = max(code, 1)
		}
		if v.JSON {
			e := json.NewEncoder(os.Stdout)
			e.SetIndent("", "  ")
			if err := e.Encode(gateway.Verification(report)); err != nil {
				return err
			}
			continue
		}
		if n > 0 {
			fmt.Println()
		}
		printReport(os.Stdout, file, report)
	}
	switch code {
	case 0:
		return nil
	case 1:
		return exit{errors.New("not every signature is valid"), code}
	}
	return exit{errors.New("not every file could be judged"), code}
}

func (v *verifyCommand) options(ctx context.Context) (o verify.Options, err error) {
	o.Now = time.Now()
	if err := v.own(ctx, &o); err != nil {
		return o, err
	}
	for _, file := range v.Roots {
		blocks, err := readBlocks(file)
		if err != nil {
			return o, err
		}
		for _, b := range blocks {
			c, err := x509.ParseCertificate(b)
			if err != nil {
				return o, fmt.Errorf("reading %s: %w", file, err)
			}
			o.Roots = append(o.Roots, c)
		}
	}
	for _, file := range v.CRLs {
		blocks, err := readBlocks(file)
		if err != nil {
			return o, err
		}
		o.CRLs = append(o.CRLs, blocks...)
	}
	return o, nil
}

// own adds what this installation trusts. None is made where there is none.
func (v *verifyCommand) own(ctx context.Context, o *verify.Options) error {
	if v.Only {
		return nil
	}
	if _, err := os.Stat(v.Data); err != nil && v.Database == "" {
		if len(v.Roots) == 0 {
			fmt.Fprintf(os.Stderr, "vidimus: nobody is trusted: there is no installation in %s, and --roots names none\n", v.Data)
		}
		return nil
	}
	return v.with(ctx, func(p *platform) (err error) {
		o.Roots, o.CRLs, err = p.trusted(ctx)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if len(v.Roots) == 0 {
			fmt.Fprintf(os.Stderr, "vidimus: nobody is trusted: the installation in %s has no trust service yet, and --roots names none\n", v.Data)
		}
		return nil
	})
}

// trustedBy are the root and the lists of the built-in authority.
func trustedBy(open func(ctx context.Context) (*ca.Authority, error)) func(ctx context.Context) ([]*x509.Certificate, [][]byte, error) {
	return func(ctx context.Context) ([]*x509.Certificate, [][]byte, error) {
		a, err := open(ctx)
		if err != nil {
			return nil, nil, err
		}
		root, err := x509.ParseCertificate(a.Root())
		if err != nil {
			return nil, nil, fmt.Errorf("reading our own root: %w", err)
		}
		ofRoot, issuing, err := a.CRL(ctx)
		return []*x509.Certificate{root}, [][]byte{ofRoot, issuing}, err
	}
}

// readBlocks returns the DER in a file: every block of PEM, or the whole file.
func readBlocks(file string) (all [][]byte, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		all = append(all, block.Bytes)
	}
	if all == nil {
		all = [][]byte{b}
	}
	return all, nil
}

func judgeFile(ctx context.Context, file string, o verify.Options) (proof.Report, error) {
	f, err := os.Open(file)
	if err != nil {
		return proof.Report{}, err
	}
	defer func() { _ = f.Close() }() // it was only read
	b, err := io.ReadAll(io.LimitReader(f, verify.MaxSize+1))
	if err != nil {
		return proof.Report{}, err
	}
	return verify.File(ctx, b, o)
}

// judge judges the signatures of a PDF by what the platform trusts.
func (p *platform) judge(ctx context.Context, pdf []byte) (proof.Report, error) {
	roots, crls, err := p.trusted(ctx)
	if err != nil {
		return proof.Report{}, err
	}
	report, err := verify.File(ctx, pdf, verify.Options{Roots: roots, CRLs: crls, Now: p.clock.Now()})
	switch {
	case err == nil, ctx.Err() != nil:
		return report, err
	case errors.Is(err, verify.ErrTooLarge):
		return report, fault.Of(fault.TooLarge)
	}
	return report, fault.New(fault.Invalid, "nothing can be said of this file: %v", err)
}

func printReport(w io.Writer, file string, r proof.Report) {
	verdict := "VALID"
	if !r.Valid() {
		verdict = "NOT VALID"
	}
	fmt.Fprintf(w, "%s: %s, %d bytes, %s, %s\n", file, verdict, r.Size, count(r.Revisions, "revision"), count(len(r.Signatures), "signature"))
	for _, s := range r.Signatures {
		fmt.Fprintln(w)
		printSignature(w, s)
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// line prints one finding; an empty one is left out.
func line(w io.Writer, label, text string) {
	if text != "" {
		fmt.Fprintf(w, "  %-14s %s\n", label, printable(text))
	}
}

// printable keeps what a file says from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

var kinds = map[proof.Kind]string{
	proof.Approval: "signature", proof.Certification: "certification", proof.Timestamp: "document time-stamp",
}

func printSignature(w io.Writer, s proof.Signature) {
	fmt.Fprintf(w, "%s in field %q: %s\n", kinds[s.Kind], s.Field, s.Verdict)
	for _, why := range s.Because {
		line(w, "because", why)
	}
	line(w, "signer", s.Signer)
	form := s.SubFilter
	switch {
	case s.Level != "":
		form += ", PAdES " + s.Level
	case s.Kind != proof.Timestamp && len(s.Lacks) > 0:
		form += ", not PAdES: " + strings.Join(s.Lacks, "; ")
	}
	line(w, "form", form)
	if s.Intact() {
		line(w, "integrity", "the document is what was signed, "+s.Hash)
	}
	line(w, "covers", covers(s.Coverage))
	printTime(w, s)
	for i, c := range s.Chain {
		label := "chain"
		if i > 0 {
			label = ""
		}
		line(w, label, c.Subject+revoked(c))
	}
	if s.Kind == proof.Certification {
		line(w, "permits", map[int]string{1: "no changes", 2: "forms and signatures", 3: "forms, signatures and annotations"}[s.Permits])
	}
	for _, c := range s.Changes {
		label := "later"
		if !c.Allowed {
			label = "later, not ok"
		}
		line(w, label, c.What)
	}
}

func covers(c proof.Coverage) string {
	switch {
	case c.Whole():
		return "the whole file"
	case c.Revision > 0:
		return fmt.Sprintf("revision %d of %d; %d bytes follow", c.Revision, c.Of, c.Outside)
	case c.Signed > 0:
		return fmt.Sprintf("%d bytes that are no revision; %d follow", c.Signed, c.Outside)
	}
	return ""
}

func printTime(w io.Writer, s proof.Signature) {
	if !s.Time.At.IsZero() {
		line(w, "time", fmt.Sprintf("%s, %s of %s", moment(s.Time.At), s.Time.Source, s.Time.By))
	} else if !s.Claimed.IsZero() {
		line(w, "time", moment(s.Claimed)+", claimed by the signer only")
	}
	for _, f := range s.Time.Faults {
		line(w, "", "a time-stamp does not count: "+f)
	}
}

// revoked says what is known about a certificate's revocation.
func revoked(c proof.Certificate) string {
	switch r := c.Revocation; {
	case c.Root:
		return " (trusted root)"
	case r.Status == proof.Good:
		return fmt.Sprintf(" (not revoked: %s of %s, %s)", r.Source, moment(r.As), r.Within)
	case r.Status == proof.Revoked:
		return fmt.Sprintf(" (REVOKED %s: %s, %s)", moment(r.At), r.Source, r.Within)
	case r.Status == proof.NoAnswer:
		return " (nothing says whether it was revoked)"
	}
	return ""
}
