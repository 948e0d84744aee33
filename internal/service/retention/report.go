package retention

import (
	"context"
	"slices"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
)

// Due counts what is due under one setting of an account.
type Due struct {
	KeptFor string `json:"keptfor"` // the setting, as a duration
	Now     int64  `json:"now"`
	Soon    int64  `json:"soon"` // within the time asked for, what is due now included
}

// Deleted counts what one party had deleted.
type Deleted struct {
	By     string    `json:"by"`
	Number int64     `json:"number"` // whose content is destroyed
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	// What was deleted and whose content is not destroyed yet, and since when the oldest waits.
	Erasing      int64     `json:"erasing"`
	ErasingSince time.Time `json:"erasingsince,omitzero"`
}

// Report is what is due and what was deleted of one company. Nothing of it is personal.
type Report struct {
	Company    company.ID `json:"companyid"`
	Gone       bool       `json:"gone"` // the company itself was deleted
	Results    Due        `json:"results"`
	Unfinished Due        `json:"unfinished"`
	Aborted    Due        `json:"aborted"` // attempts whose evidence is due
	Deleted    []Deleted  `json:"deleted"`
}

// Report tells, for every company or for one, what is due now and within a while, and what
// was deleted from since on. A company that is deleted is told of as long as something of
// it was.
func (s *Service) Report(ctx context.Context, only company.ID, within time.Duration, since time.Time) ([]Report, error) {
	now := s.Clock.Now()
	deletions, err := s.Store.DeletedSince(ctx, since, now.Add(time.Microsecond))
	if err != nil {
		return nil, err
	}
	all := map[company.ID]*Report{}
	for _, a := range s.Accounts.All() {
		if only != "" && a.ID != only {
			continue
		}
		r := &Report{Company: a.ID}
		if r.Results, err = s.due(ctx, a.ID, a.Retention, ident.KeptAsResult, within); err != nil {
			return nil, err
		}
		if r.Unfinished, err = s.due(ctx, a.ID, a.Retention, ident.KeptAsUnfinished, within); err != nil {
			return nil, err
		}
		if r.Aborted, err = s.attemptsDue(ctx, a.ID, a.Retention, within); err != nil {
			return nil, err
		}
		all[a.ID] = r
	}
	for _, d := range deletions {
		if only != "" && d.Company != only {
			continue
		}
		r := all[d.Company]
		if r == nil {
			r = &Report{Company: d.Company, Gone: true}
			all[d.Company] = r
		}
		r.Deleted = append(r.Deleted, Deleted{By: d.By, Number: d.Number, First: d.First, Last: d.Last, Erasing: d.Erasing, ErasingSince: d.ErasingSince})
	}
	list := make([]Report, 0, len(all))
	for _, r := range all {
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b Report) int {
		if a.Company < b.Company {
			return -1
		}
		return 1
	})
	return list, nil
}

func (s *Service) due(ctx context.Context, c company.ID, r company.Retention, lists []ident.List, within time.Duration) (Due, error) {
	var d Due
	now := s.Clock.Now()
	for _, l := range lists {
		kept := s.Clock.Scale(l.KeptFor(r))
		d.KeptFor = l.KeptFor(r).String()
		n, err := s.Store.CountDue(ctx, c, l, now.Add(-kept))
		if err != nil {
			return d, err
		}
		soon, err := s.Store.CountDue(ctx, c, l, now.Add(within-kept))
		if err != nil {
			return d, err
		}
		d.Now += n
		d.Soon += soon
	}
	return d, nil
}

func (s *Service) attemptsDue(ctx context.Context, c company.ID, r company.Retention, within time.Duration) (Due, error) {
	d := Due{KeptFor: r.AbortedFor().String()}
	var err error
	if d.Now, err = s.Store.CountDueAttempts(ctx, c, s.abortedUntil(r)); err != nil {
		return d, err
	}
	d.Soon, err = s.Store.CountDueAttempts(ctx, c, s.abortedUntil(r).Add(within))
	return d, err
}

// mostTombstones is how many deletions are listed one by one.
const mostTombstones = 100_000

// Deletions lists what was deleted of a company, one by one, from since on.
func (s *Service) Deletions(ctx context.Context, c company.ID, since time.Time) ([]ident.Tombstone, error) {
	return s.Store.Tombstones(ctx, c, since, s.Clock.Now().Add(time.Microsecond), mostTombstones)
}
