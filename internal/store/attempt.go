package store

import (
	"context"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/ident"
	"vidimus/internal/store/rows"
)

// AddAttempt stores a new, open attempt. The database refuses a second open one of an
// identification.
func (db *DB) AddAttempt(ctx context.Context, a ident.Attempt) error {
	err := tx(ctx).q.InsertAttempt(ctx, rows.InsertAttemptParams{
		IdentificationID: string(a.Identification), Number: int64(a.Number), CompanyID: string(a.Company), Method: string(a.Method),
		Channel: string(a.Channel), RequestedAt: micro(a.RequestedAt), TakenAt: micro(a.TakenAt), EndedAt: micro(a.EndedAt),
		Agent: a.Agent, Outcome: string(a.Outcome), Reason: string(a.Reason),
	})
	switch {
	case duplicate(err):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("storing an attempt: %w", err)
	}
	return nil
}

// Attempts returns all attempts of an identification, the first one first.
func (db *DB) Attempts(ctx context.Context, id ident.ID) ([]ident.Attempt, error) {
	rs, err := db.read(ctx).Attempts(ctx, string(id))
	if err != nil {
		return nil, fmt.Errorf("reading attempts: %w", err)
	}
	list := make([]ident.Attempt, len(rs))
	for n, r := range rs {
		list[n] = ident.Attempt{
			Identification: ident.ID(r.IdentificationID), Number: int(r.Number), Company: company.ID(r.CompanyID), Method: ident.Method(r.Method),
			Channel: ident.Channel(r.Channel), RequestedAt: at(r.RequestedAt), TakenAt: at(r.TakenAt), EndedAt: at(r.EndedAt),
			Agent: r.Agent, Outcome: ident.State(r.Outcome), Reason: ident.Reason(r.Reason),
		}
	}
	return list, nil
}

// TakeAttempt notes who took a waiting attempt, and when; ErrChanged when it waits no more.
func (db *DB) TakeAttempt(ctx context.Context, id ident.ID, number int, agent string, now time.Time) error {
	n, err := tx(ctx).q.TakeAttempt(ctx, rows.TakeAttemptParams{TakenAt: micro(now), Agent: agent, IdentificationID: string(id), Number: int64(number)})
	return one(n, err, "taking an attempt")
}

// EndAttempt notes how an open attempt ended; ErrChanged when it is not open.
func (db *DB) EndAttempt(ctx context.Context, a ident.Attempt) error {
	n, err := tx(ctx).q.EndAttempt(ctx, rows.EndAttemptParams{
		EndedAt: micro(a.EndedAt), Outcome: string(a.Outcome), Reason: string(a.Reason), IdentificationID: string(a.Identification), Number: int64(a.Number),
	})
	return one(n, err, "ending an attempt")
}

// Waits returns the waits of a company that ended since then (not those of copies), and the moments from which
// those wait who still do.
func (db *DB) Waits(ctx context.Context, c company.ID, since time.Time) (done []time.Duration, waiting []time.Time, err error) {
	q := db.read(ctx)
	rs, err := q.WaitsSince(ctx, string(c), micro(since))
	if err != nil {
		return nil, nil, fmt.Errorf("reading waits: %w", err)
	}
	for _, r := range rs {
		done = append(done, at(r.TakenAt).Sub(at(r.RequestedAt)))
	}
	now, err := q.WaitingNow(ctx, string(c))
	if err != nil {
		return nil, nil, fmt.Errorf("reading who waits: %w", err)
	}
	for _, n := range now {
		waiting = append(waiting, at(n))
	}
	return done, waiting, nil
}

// AddEvidence stores an item of an attempt.
func (db *DB) AddEvidence(ctx context.Context, e evidence.Item) error {
	err := tx(ctx).q.InsertEvidence(ctx, rows.InsertEvidenceParams{
		IdentificationID: string(e.Identification), Attempt: int64(e.Attempt), Seq: int64(e.Seq), Kind: string(e.Kind),
		Sealed: e.Sealed, Blob: e.Blob, Hash: e.Hash, TakenAt: micro(e.TakenAt),
	})
	if err != nil {
		return fmt.Errorf("storing evidence: %w", err)
	}
	return nil
}

// Evidence returns an attempt's items in the order they were taken.
func (db *DB) Evidence(ctx context.Context, id ident.ID, attempt int) ([]evidence.Item, error) {
	rs, err := db.read(ctx).Evidence(ctx, string(id), int64(attempt))
	if err != nil {
		return nil, fmt.Errorf("reading evidence: %w", err)
	}
	list := make([]evidence.Item, len(rs))
	for n, r := range rs {
		list[n] = evidence.Item{
			Identification: ident.ID(r.IdentificationID), Attempt: int(r.Attempt), Seq: int(r.Seq), Kind: evidence.Kind(r.Kind),
			Sealed: r.Sealed, Blob: r.Blob, Hash: r.Hash, TakenAt: at(r.TakenAt),
		}
	}
	return list, nil
}

// AddJudgement stores a verdict or a review; an attempt has one of each at most, a second
// is ErrChanged.
func (db *DB) AddJudgement(ctx context.Context, j evidence.Judgement) error {
	err := tx(ctx).q.InsertDecision(ctx, rows.InsertDecisionParams{
		IdentificationID: string(j.Identification), Attempt: int64(j.Attempt), Kind: string(j.Kind), Person: j.Person, Sealed: j.Sealed, MadeAt: micro(j.MadeAt),
	})
	switch {
	case duplicate(err):
		return ErrChanged
	case err != nil:
		return fmt.Errorf("storing a decision: %w", err)
	}
	return nil
}

// Judgements returns an attempt's verdict and review, so far.
func (db *DB) Judgements(ctx context.Context, id ident.ID, attempt int) ([]evidence.Judgement, error) {
	rs, err := db.read(ctx).Decisions(ctx, string(id), int64(attempt))
	if err != nil {
		return nil, fmt.Errorf("reading decisions: %w", err)
	}
	list := make([]evidence.Judgement, len(rs))
	for n, r := range rs {
		list[n] = evidence.Judgement{
			Identification: ident.ID(r.IdentificationID), Attempt: int(r.Attempt), Kind: evidence.JudgementKind(r.Kind),
			Person: r.Person, Sealed: r.Sealed, MadeAt: at(r.MadeAt),
		}
	}
	return list, nil
}

// EraseRecords removes everything of an identification but its own row, its deliveries and
// its audit trail: attempts, evidence, decisions, results and documents.
func (db *DB) EraseRecords(ctx context.Context, id ident.ID) error {
	q := tx(ctx).q
	for _, erase := range []func(context.Context, string) error{q.DeleteAttempts, q.DeleteEvidence, q.DeleteDecisions, q.DeleteResults, q.DeleteDocuments} {
		if err := erase(ctx, string(id)); err != nil {
			return fmt.Errorf("erasing records: %w", err)
		}
	}
	return nil
}

// EraseEvidence removes the evidence and decisions of the attempts up to that one, and the
// results up to that one; attempts stay, they hold nothing personal.
func (db *DB) EraseEvidence(ctx context.Context, id ident.ID, attempt int, result int64) error {
	q := tx(ctx).q
	if err := q.DeleteEvidenceUpTo(ctx, string(id), int64(attempt)); err != nil {
		return fmt.Errorf("erasing evidence: %w", err)
	}
	if err := q.DeleteDecisionsUpTo(ctx, string(id), int64(attempt)); err != nil {
		return fmt.Errorf("erasing decisions: %w", err)
	}
	if err := q.DeleteResultsUpTo(ctx, string(id), result); err != nil {
		return fmt.Errorf("erasing results: %w", err)
	}
	return nil
}
