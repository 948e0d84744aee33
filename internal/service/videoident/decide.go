package videoident

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/signing"
	"vidimus/internal/service/vault"
)

// Abort ends the open attempt without a verdict (14.5). The user may try again unless the
// reason is permanent. by is who ended it, for the audit trail.
func (s *Service) Abort(ctx context.Context, c Case, reason ident.Reason, by string) error {
	if _, ok := reason.Failure(); !ok {
		return fault.New(fault.Invalid, "%q is no reason for failure", reason)
	}
	return s.retry(ctx, c, func(a *account.Account, i ident.Identification) error {
		from := i.State
		to, err := from.Next(ident.AttemptAborted)
		if err != nil {
			return err
		}
		d, err := s.reader.Open(ctx, i)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		d.State, d.Result, d.Reason, d.ChangedAt, d.FinishedAt = to, ident.Aborted, reason, now, now
		r, err := s.publish.Render(ctx, a, d, company.Aborted)
		if err != nil {
			return err
		}
		return s.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.move(ctx, a, d, from, &r); err != nil {
				return err
			}
			if err := s.store.EndAttempt(ctx, ident.Attempt{Identification: d.ID, Number: d.Attempts, EndedAt: now, Outcome: ident.Aborted, Reason: reason}); err != nil {
				return err
			}
			return s.audit(ctx, d.Identification, now, by, "attempt.aborted", string(reason))
		})
	})
}

// move writes the identification, its result and the deliveries that follow from it; r is
// nil where the event hands nothing out.
func (s *Service) move(ctx context.Context, a *account.Account, d *dossier.Dossier, from ident.State, r *result.Stored) error {
	if r == nil {
		return s.store.MoveIdentification(ctx, d.Identification, from)
	}
	i := d.Identification // a copy: the transaction may run again
	if err := s.publish.Announce(ctx, a, &i, *r); err != nil {
		return err
	}
	if err := s.store.MoveIdentification(ctx, i, from); err != nil {
		return err
	}
	return s.store.AddResult(ctx, *r)
}

// Conclude takes the agent's verdict on the open attempt: a preliminary result, which waits
// for its review. Agent and At are filled in here. fault.Precondition while mandatory
// checks or pictures are missing.
func (s *Service) Conclude(ctx context.Context, c Case, v evidence.Verdict) error {
	if err := v.Data.Check(); err != nil {
		return err
	}
	event, result := ident.AgentIdentified, ident.ReviewPending
	if v.Suspect != "" {
		if !v.Suspect.Fraud() {
			return fault.New(fault.Invalid, "%q is no suspicion of fraud", v.Suspect)
		}
		event, result = ident.AgentSuspected, ident.FraudPending
	}
	return s.retry(ctx, c, func(a *account.Account, i ident.Identification) error {
		from := i.State
		to, err := from.Next(event)
		if err != nil {
			return err
		}
		d, err := s.reader.Open(ctx, i)
		if err != nil {
			return err
		}
		if missing := d.Evidence.Missing(); len(missing) > 0 {
			return fault.New(fault.Precondition, "the verdict lacks %s", strings.Join(missing, ", "))
		}
		now := s.clock.Now()
		d.State, d.Result, d.Reason, d.ChangedAt, d.FinishedAt = to, result, v.Suspect, now, now
		v.Agent, v.At = i.Agent, now
		d.Verdict = &v
		return s.conclude(ctx, a, d, from, now)
	})
}

func (s *Service) conclude(ctx context.Context, a *account.Account, d *dossier.Dossier, from ident.State, now time.Time) error {
	sealed, err := vault.Seal(d.Key, dossier.OfAttempt(dossier.Verdict, d.Attempts), d.ID, *d.Verdict)
	if err != nil {
		return err
	}
	r, err := s.publish.Render(ctx, a, d, company.Realtime)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.move(ctx, a, d, from, &r); err != nil {
			return err
		}
		if err := s.store.EndAttempt(ctx, ident.Attempt{Identification: d.ID, Number: d.Attempts, EndedAt: now, Outcome: d.State, Reason: d.Reason}); err != nil {
			return err
		}
		err := s.store.AddJudgement(ctx, evidence.Judgement{
			Identification: d.ID, Attempt: d.Attempts, Kind: evidence.IsVerdict, Person: d.Agent, Sealed: sealed, MadeAt: now,
		})
		if err != nil {
			return err
		}
		return s.audit(ctx, d.Identification, now, "agent:"+d.Agent, "verdict.given", string(d.State))
	})
}

// Review takes the second person's decision on a preliminary result. At is filled in here.
// fault.Forbidden when the reviewer is the agent.
func (s *Service) Review(ctx context.Context, c Case, v evidence.Review) error {
	if v.Decision == evidence.Correct {
		if err := v.Data.Check(); err != nil {
			return err
		}
	}
	return s.retry(ctx, c, func(a *account.Account, i ident.Identification) error {
		if strings.EqualFold(v.Reviewer, i.Agent) {
			return fault.New(fault.Forbidden, "a review needs another person than the agent")
		}
		d, err := s.reader.Open(ctx, i)
		if err != nil {
			return err
		}
		if d.Verdict == nil {
			return fault.New(fault.Precondition, "there is no verdict to review")
		}
		v.At = s.clock.Now()
		d.Review = &v
		if v.Decision == evidence.Cancel {
			return s.cancel(ctx, a, d)
		}
		return s.review(ctx, a, d)
	})
}

// fits lists the decisions that a preliminary result allows.
var fits = map[ident.State][]evidence.Decision{
	ident.ReviewPending: {evidence.Confirm, evidence.Correct, evidence.Cancel, evidence.ConfirmFraud},
	ident.FraudPending:  {evidence.ClearFraud, evidence.Correct, evidence.Cancel, evidence.ConfirmFraud},
}

func (s *Service) review(ctx context.Context, a *account.Account, d *dossier.Dossier) error {
	from := d.State
	if from.Preliminary() && !slices.Contains(fits[from], d.Review.Decision) {
		return fault.New(fault.Invalid, "%s does not fit %s", d.Review.Decision, from)
	}
	event, err := s.settle(ctx, a, d)
	if err != nil {
		return err
	}
	if d.State, err = from.Next(event); err != nil {
		return err
	}
	d.Previous, d.ChangedAt, d.KeptFrom = from, d.Review.At, d.Review.At
	sealed, err := vault.Seal(d.Key, dossier.OfAttempt(dossier.Review, d.Attempts), d.ID, *d.Review)
	if err != nil {
		return err
	}
	signed, err := s.sign(ctx, a, d)
	if err != nil {
		return err
	}
	r, err := s.publish.Render(ctx, a, d, company.Final)
	if err != nil {
		s.docs.Drop(ctx, signed)
		return err
	}
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.move(ctx, a, d, from, &r); err != nil {
			return err
		}
		if err := s.docs.Write(ctx, d.Identification, signed); err != nil {
			return err
		}
		err := s.store.AddJudgement(ctx, evidence.Judgement{
			Identification: d.ID, Attempt: d.Attempts, Kind: evidence.IsReview, Person: d.Review.Reviewer, Sealed: sealed, MadeAt: d.Review.At,
		})
		if err != nil {
			return err
		}
		return s.audit(ctx, d.Identification, d.Review.At, "agent:"+d.Review.Reviewer, "review.decided", string(d.State))
	})
	if s.store.Late(err) {
		s.docs.Drop(ctx, signed)
	}
	return err
}

// sign has the documents signed where the review found that the identification succeeded:
// what is signed is in the folder, and becomes known with the result or not at all.
func (s *Service) sign(ctx context.Context, a *account.Account, d *dossier.Dossier) (signing.Signed, error) {
	if d.Result != ident.Success && d.Result != ident.SuccessChanged {
		return signing.Signed{}, nil
	}
	signed, err := s.docs.Sign(ctx, a, d)
	d.Signed = signed.Files
	return signed, err
}

// settle sets the result that the review gives, and returns the event.
func (s *Service) settle(ctx context.Context, a *account.Account, d *dossier.Dossier) (ident.Event, error) {
	if d.Review.Decision == evidence.ConfirmFraud {
		d.Result = ident.FraudConfirmed
		if d.Review.Reason != "" {
			d.Reason = d.Review.Reason
		}
		if !d.Reason.Fraud() {
			return "", fault.New(fault.Invalid, "%q is no suspicion of fraud", d.Reason)
		}
		return ident.ReviewFraud, nil
	}
	d.Result, d.Reason, d.Previous = ident.Success, "", d.State
	outcome, err := s.publish.Outcome(ctx, a, d)
	if err != nil {
		return "", err
	}
	d.Result = outcome
	if outcome == ident.SuccessChanged {
		return ident.ReviewChanged, nil
	}
	return ident.ReviewConfirmed, nil
}

// cancel drops the identification (14.2, CANCELED): what its webhook carries gets a key of
// its own; everything else goes at once, the old key first.
func (s *Service) cancel(ctx context.Context, a *account.Account, d *dossier.Dossier) error {
	from := d.State
	to, err := from.Next(ident.ReviewCanceled)
	if err != nil {
		return err
	}
	if _, ok := d.Review.Reason.Failure(); !ok {
		return fault.New(fault.Invalid, "%q is no reason for failure", d.Review.Reason)
	}
	before := d.Identification
	if d.KeyID, d.Key, err = s.keys.Draw(ctx); err != nil {
		return err
	}
	reviewer := d.Review.Reviewer
	d.State, d.Result, d.Reason, d.Previous, d.ChangedAt = to, ident.Canceled, d.Review.Reason, from, d.Review.At
	d.Sealed, d.FileKey, d.KeptFrom = []byte{}, "", d.Review.At
	r, err := s.publish.Render(ctx, a, d, company.Canceled)
	if err != nil {
		return err
	}
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.move(ctx, a, d, from, &r); err != nil {
			return err
		}
		forget := job.Job{Kind: Forget, Lane: string(d.ID), Company: d.Company, Identification: d.ID, Payload: fmt.Sprintf("%s %d %d", before.KeyID, before.Attempts, before.ResultSeq), DueAt: d.Review.At.Add(grace)}
		if err := s.jobs.Add(ctx, forget); err != nil {
			return err
		}
		return s.audit(ctx, d.Identification, d.Review.At, "agent:"+reviewer, "review.decided", string(to))
	})
	if err != nil {
		return err
	}
	if err := s.publish.Cancel(ctx, before); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "forgetting a canceled identification", slog.String("identification", string(d.ID)), slog.Any("error", err))
	}
	return nil
}

// grace is how long a job waits while the call that caused it does the same work: it is for
// the case that the call never comes to its end.
const grace = 3 * time.Second

// HandleForget carries out what a cancellation began.
func (s *Service) HandleForget(ctx context.Context, j job.Job) error {
	before := ident.Identification{Company: j.Company, ID: j.Identification}
	if _, err := fmt.Sscanf(j.Payload, "%s %d %d", &before.KeyID, &before.Attempts, &before.ResultSeq); err != nil {
		return fmt.Errorf("reading a job: %w", err)
	}
	return s.publish.Cancel(ctx, before)
}

func (s *Service) addTimeout(ctx context.Context, a ident.Attempt) error {
	return s.jobs.Add(ctx, job.Job{
		Kind: Timeout, Lane: string(a.Identification) + "/timeout", Company: a.Company, Identification: a.Identification,
		Payload: strconv.Itoa(a.Number), DueAt: a.RequestedAt.Add(max(openAtLeast, s.clock.Scale(openTime))),
	})
}

// HandleTimeout aborts an attempt that was open for too long.
func (s *Service) HandleTimeout(ctx context.Context, j job.Job) error {
	number, err := strconv.Atoi(j.Payload)
	if err != nil {
		return fmt.Errorf("reading a job: %w", err)
	}
	i, err := s.store.IdentificationByID(ctx, j.Company, j.Identification)
	if fault.Is(err, fault.NotFound) || err == nil && (i.Attempts != number || !i.State.Open()) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Abort(ctx, Case{Company: j.Company, ID: j.Identification}, ident.TechTimeout, "system")
}
