package retention

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"vidimus/internal/domain/audit"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
)

// Forget is the job that takes the evidence of one aborted attempt, which its identification
// outlives: the attempt itself stays as history. The payload is the attempt's number.
const Forget job.Kind = "retention.forget"

// abortedUntil is when an aborted attempt must have ended, at the latest, for its evidence to
// be due now.
func (s *Service) abortedUntil(r company.Retention) time.Time {
	return s.Clock.Now().Add(-s.Clock.Scale(r.AbortedFor()))
}

func (s *Service) queueAttempts(ctx context.Context, due []ident.Attempt) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		for _, a := range due {
			number := strconv.Itoa(a.Number)
			err := s.Jobs.AddOnce(ctx, job.Job{
				ID: "forget/" + string(a.Identification) + "/" + number, Kind: Forget, Lane: string(a.Identification), Company: a.Company,
				Identification: a.Identification, Payload: number,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// HandleForget takes the evidence of an aborted attempt, if it is still due: its files first,
// so that what is broken off is found again, then its rows. Its key goes on: the identification
// has it. Whatever attempts follow keep theirs.
func (s *Service) HandleForget(ctx context.Context, j job.Job) error {
	number, err := strconv.Atoi(j.Payload)
	if err != nil {
		return fmt.Errorf("reading the number of an attempt: %w", err)
	}
	if due, err := s.attemptDue(ctx, j.Company, j.Identification, number); err != nil || !due {
		return err
	}
	items, err := s.Store.Evidence(ctx, j.Identification, number)
	if err != nil {
		return err
	}
	for _, i := range items {
		if i.Blob == "" {
			continue
		}
		if err := s.Files.Delete(ctx, i.Blob); err != nil {
			return err
		}
	}
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		now := s.Clock.Now()
		done, err := s.Store.EraseAttempt(ctx, j.Identification, number, now)
		if err != nil || !done {
			return err
		}
		return s.Store.Audit(ctx, audit.Entry{
			Chain: string(j.Identification), Company: j.Company, At: now, Actor: byRetention, Act: "attempt.erased", Detail: "attempt " + j.Payload,
		})
	})
}

// attemptDue looks at the attempt as it is now, with the settings that its account has now.
func (s *Service) attemptDue(ctx context.Context, c company.ID, id ident.ID, number int) (bool, error) {
	a, known := s.Accounts.Get(c)
	if !known {
		return false, nil // it goes as a whole
	}
	all, err := s.Store.Attempts(ctx, id)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		if t.Number == number {
			return t.Company == c && t.Outcome == ident.Aborted && !t.EndedAt.IsZero() && !t.EndedAt.After(s.abortedUntil(a.Retention)), nil
		}
	}
	return false, nil
}
