package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
	"vidimus/internal/service/trail"
)

type auditCommand struct {
	Verify      auditVerify      `cmd:"" help:"Prove the audit trail: say what was changed, forged, taken out or cut off; exit 1 if anything."`
	Checkpoints auditCheckpoints `cmd:"" help:"Write checkpoints as lines of JSON, to be kept elsewhere."`
	AcceptKeys  auditAcceptKeys  `cmd:"" help:"Accept a key store that is older than the database; the next start deletes what has no key in it."`
	Show        auditShow        `cmd:"" help:"Print what happened to an identification, also a deleted one, or to a company."`
}

type auditVerify struct {
	stateFlags `embed:""`
	Against    string   `placeholder:"FILE" help:"Checkpoints that were exported; each must still be as it was."`
	Lost       []string `placeholder:"FROM-TO" help:"Checkpoints that are known to be missing, since a backup was restored."`
	Most       int      `default:"200" help:"How many findings are printed."`
}

// Run proves the trail, beside servers that may be running.
func (v *auditVerify) Run(ctx context.Context) error {
	lost, err := ranges(v.Lost)
	if err != nil {
		return err
	}
	return v.with(ctx, func(p *platform) error {
		var printed int
		found := func(f trail.Finding) {
			if printed++; printed <= v.Most {
				fmt.Printf("%-18s  %s\n", strings.ToUpper(string(f.Kind)), f.Text)
			}
		}
		sum, err := p.trail.Verify(ctx, lost, found)
		if err != nil {
			return err
		}
		var agree int64
		if v.Against != "" {
			if agree, err = compare(ctx, p, v.Against, func(f trail.Finding) { sum.Findings++; found(f) }); err != nil {
				return err
			}
		}
		if printed > v.Most {
			fmt.Printf("and %d more\n", printed-v.Most)
		}
		v.print(sum, agree, p.clock.Now())
		if sum.Findings > 0 {
			return fmt.Errorf("the audit trail is not whole: %d findings", sum.Findings)
		}
		return nil
	})
}

func (v *auditVerify) print(s trail.Summary, agree int64, now time.Time) {
	fmt.Printf("%d entries in %d chains, %d checkpoints\n", s.Entries, s.Chains, s.Checkpoints)
	if s.Last.Number > 0 {
		fmt.Printf("last checkpoint: %d of %s, %s ago\n", s.Last.Number, moment(s.Last.At), now.Sub(s.Last.At).Round(time.Second))
	} else {
		fmt.Println("there is no checkpoint yet")
	}
	if s.Unsealed > 0 {
		fmt.Printf("after it: %d entries that are not sealed yet, the oldest %s old\n", s.Unsealed, now.Sub(s.OldestUnsealed).Round(time.Second))
	} else {
		fmt.Println("after it: nothing")
	}
	for _, r := range s.Lost {
		fmt.Printf("known to be lost: checkpoints %d to %d\n", r.From, r.To)
	}
	if v.Against != "" {
		fmt.Printf("as exported: %d checkpoints\n", agree)
	}
	if s.Findings == 0 {
		fmt.Println("the audit trail is whole")
	}
}

// maxLine is the longest line of an export that is read: several times what one takes.
const maxLine = 64 << 10

// compare compares the database with an export, a line at a time.
func compare(ctx context.Context, p *platform, file string, found func(trail.Finding)) (agree int64, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, fmt.Errorf("reading the export: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(io.Reader(f))
	lines.Buffer(nil, maxLine)
	var read int64
	for n := 1; lines.Scan(); n++ {
		if strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		var e trail.Exported
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return agree, fmt.Errorf("%s:%d: not a line of `vidimus audit checkpoints`", file, n)
		}
		read++
		finding, ok, err := p.trail.Against(ctx, e)
		if err != nil {
			return agree, err
		}
		if ok {
			agree++
		} else {
			found(finding)
		}
	}
	if err := lines.Err(); err != nil {
		return agree, fmt.Errorf("reading the export: %w", err)
	}
	if read == 0 {
		return agree, fmt.Errorf("%s: there is no checkpoint in it", file)
	}
	return agree, nil
}

// ranges reads 51-80, or 51 alone.
func ranges(list []string) ([]trail.Range, error) {
	var all []trail.Range
	for _, text := range list {
		from, to, both := strings.Cut(text, "-")
		if !both {
			to = from
		}
		var r trail.Range
		var errs [2]error
		r.From, errs[0] = strconv.ParseInt(from, 10, 64)
		r.To, errs[1] = strconv.ParseInt(to, 10, 64)
		if errors.Join(errs[:]...) != nil || r.From < 1 || r.To < r.From {
			return nil, errors.New("--lost takes numbers of checkpoints, like 51-80")
		}
		all = append(all, r)
	}
	return all, nil
}

type auditCheckpoints struct {
	stateFlags `embed:""`
	Since      int64 `default:"0" placeholder:"N" help:"Only those after number N."`
}

// Run exports checkpoints.
func (c *auditCheckpoints) Run(ctx context.Context) error {
	return c.with(ctx, func(p *platform) error {
		out := bufio.NewWriter(os.Stdout)
		lines := json.NewEncoder(out)
		err := p.trail.Export(ctx, c.Since, func(e trail.Exported) error { return lines.Encode(e) })
		return errors.Join(err, out.Flush())
	})
}

type auditShow struct {
	stateFlags     `embed:""`
	Company        string `arg:"" help:"The company's ID; installation: what concerns no company."`
	Identification string `arg:"" optional:"" help:"A transaction number, or an Ident-ID, also of a deleted one; none: the company's own acts."`
}

// Run prints a chain.
func (a *auditShow) Run(ctx context.Context) error {
	return a.with(ctx, func(p *platform) error {
		id := a.Identification
		if id != "" {
			if found, err := p.find(ctx, company.ID(a.Company), id); err == nil {
				id = string(found)
			}
		}
		list, err := p.trail.Chain(ctx, company.ID(a.Company), id)
		if fault.Is(err, fault.NotFound) && a.Company == audit.Installation && id == "" {
			list, err = p.trail.Chain(ctx, "", audit.Installation)
		}
		if fault.Is(err, fault.NotFound) {
			return errors.New("nothing is known of it")
		}
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(t, "NUMBER\tAT\tACTOR\tACT\tDETAIL")
		for _, e := range list {
			_, _ = fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\n", e.Seq, moment(e.At), e.Actor, e.Act, e.Detail)
		}
		return t.Flush()
	})
}

type auditAcceptKeys struct {
	stateFlags `embed:""`
}

// Run has the key store take the database's newest checkpoint for marked.
func (a *auditAcceptKeys) Run(ctx context.Context) error {
	return a.withAnyKeys(ctx, func(p *platform) error {
		if err := p.trail.AcceptKeys(ctx); err != nil {
			return err
		}
		fmt.Println("the key store counts as the one that belongs to this database")
		return nil
	})
}
