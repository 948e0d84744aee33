package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/jobs"
)

// Sender makes one try to hand a webhook over. It answers the HTTP status, or zero and the
// class of the problem; nothing personal.
type Sender interface {
	Send(ctx context.Context, url, secret, id string, body []byte) (status int, problem string)
}

// senders is how many deliveries a node has under way at once, perTarget how many of them
// to one address, and perCompany how many of one company: who is slow to answer must not
// keep the others waiting. A look at the queue brings perLook at most.
const (
	senders    = 512
	perTarget  = 64
	perCompany = 192
	perLook    = 32
)

// Announce is called in the transaction of each event, before i is written: it withdraws
// deliveries that i has outrun, and adds one for each address that wants this event.
func (s *Service) Announce(ctx context.Context, a *account.Account, i *ident.Identification, r result.Stored) error {
	// Held until the end of the transaction, so that a try that fails meanwhile waits, and
	// sees this event.
	if _, _, err := s.store.LastEvent(ctx, i.Company, i.ID); err != nil {
		return err
	}
	now := s.clock.Now()
	outrun, err := s.store.SupersedeDeliveries(ctx, i.ID, now)
	if err != nil {
		return err
	}
	for _, d := range outrun {
		if err := s.notify(ctx, Outdated, d, i.Number); err != nil {
			return err
		}
	}
	seq := i.NextDelivery
	i.NextDelivery++
	var told bool
	for _, w := range a.Webhooks {
		if !w.Wants(r.Event) || r.Event == company.Realtime && !a.Realtime {
			continue
		}
		told = true
		err := s.store.AddDelivery(ctx, delivery.Delivery{
			ID: "msg_" + s.newID(), Way: delivery.Webhook, Company: i.Company, Identification: i.ID, Lane: lane(i.ID, w.URL), Seq: seq, Event: r.Event,
			ResultSeq: r.Seq, KeyID: i.KeyID, Target: w.URL, Hash: r.Hash, CreatedAt: now, DueAt: now,
		})
		if err != nil {
			return err
		}
	}
	if err := s.announceMail(ctx, a, i, r, seq); err != nil {
		return err
	}
	s.store.AfterCommit(ctx, s.pump.Wake)
	if r.Event == company.Canceled && !told {
		return s.strip(ctx, i.Company, i.ID, i.KeyID)
	}
	return nil
}

// strip leaves the job that takes what was kept of a canceled identification.
func (s *Service) strip(ctx context.Context, c company.ID, id ident.ID, keyID string) error {
	return s.jobs.Add(ctx, job.Job{Kind: Strip, Lane: string(id), Company: c, Identification: id, Payload: keyID})
}

// lane keeps the deliveries of one identification to one address in order.
func lane(id ident.ID, url string) string {
	sum := sha256.Sum256([]byte(url))
	return string(id) + "/" + hex.EncodeToString(sum[:8])
}

// deliver makes one try and writes down how it went.
func (s *Service) deliver(ctx context.Context, d delivery.Delivery) {
	defer s.underWay.remove(d)
	err := s.trySafely(ctx, d)
	if err == nil || s.store.Late(err) {
		return // late: it was deleted, or taken over, while it was under way
	}
	s.log.LogAttrs(ctx, slog.LevelError, "delivering", slog.String("way", string(d.Way)), slog.String("delivery", d.ID), slog.String("identification", string(d.Identification)), slog.Any("error", err))
	d.DueAt = s.clock.Now().Add(time.Second)
	err = jobs.Persist(ctx, s.store.Late, func() error {
		return s.store.InTx(ctx, func(ctx context.Context) error { return s.store.RetryDelivery(ctx, d, s.node) })
	})
	if err != nil && !s.store.Late(err) {
		s.log.LogAttrs(ctx, slog.LevelError, "putting a delivery back", slog.String("delivery", d.ID), slog.Any("error", err))
	}
}

// trySafely is try; a panic of its is an error like any other.
func (s *Service) trySafely(ctx context.Context, d delivery.Delivery) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if d.Way == delivery.Mail {
		return s.tryMail(ctx, d)
	}
	return s.try(ctx, d)
}

func (s *Service) try(ctx context.Context, d delivery.Delivery) error {
	a, known := s.accounts.Get(d.Company)
	at := -1
	if known {
		at = hookAt(a, d.Target)
	}
	if at < 0 {
		return s.addressGone(ctx, d)
	}
	body, err := s.body(ctx, d)
	if fault.Is(err, fault.NotFound) {
		return s.end(ctx, d, delivery.Superseded, delivery.Deleted)
	}
	if err != nil {
		return err
	}
	began := s.clock.Now()
	if d.FirstAt.IsZero() {
		d.FirstAt = began
	}
	if d.Problem == delivery.Restored {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a webhook may arrive twice: the database was restored from a backup", slog.String("delivery", d.ID),
			slog.String("identification", string(d.Identification)))
	}
	status, problem := s.sender.Send(ctx, d.Target, a.Secrets.WebhookSecrets[at], d.ID, body)
	d.Tries++
	d.Status, d.Problem = status, problem
	policy := a.Webhooks[at].Retry.Filled()
	outcome := policy.Classify(status)
	switch outcome {
	case company.Delivered:
		d.Bytes = int64(len(body))
		err = s.end(ctx, d, delivery.Delivered, "")
	case company.Permanent:
		err = s.fail(ctx, d, began, policy, true)
	case company.Again:
		err = s.fail(ctx, d, began, policy, false)
	default:
		err = fmt.Errorf("an outcome that nobody knows of status %d", status)
	}
	if s.store.Late(err) {
		return s.dropped(ctx, d, outcome == company.Delivered)
	}
	return err
}

// dropped writes down how a try went during which its identification was deleted. Where no
// answer came it stays unknown whether it arrived.
func (s *Service) dropped(ctx context.Context, d delivery.Delivery, arrived bool) error {
	d.State, d.DoneAt = delivery.Superseded, s.clock.Now()
	switch {
	case arrived:
		d.State, d.Problem = delivery.Delivered, ""
	case d.Status != 0:
		d.Problem = delivery.Deleted
	default:
		d.Problem = delivery.DeletedUnderWay
	}
	err := jobs.Persist(ctx, s.store.Late, func() error {
		return s.store.InTx(ctx, func(ctx context.Context) error { return s.store.EndDroppedDelivery(ctx, d) })
	})
	if err == nil && arrived {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a webhook arrived while its identification was being deleted", slog.String("delivery", d.ID),
			slog.String("identification", string(d.Identification)), slog.Int("try", d.Tries))
	}
	return err
}

// hookAt returns which of the account's webhooks has the address; -1: none.
func hookAt(a *account.Account, url string) int {
	return slices.IndexFunc(a.Webhooks, func(w company.Webhook) bool { return w.URL == url })
}

const noAddress = "the account has this address no more"

// addressGone gives up a delivery to an address that was taken out of the account, or out
// of which another was made, while it was waiting.
func (s *Service) addressGone(ctx context.Context, d delivery.Delivery) error {
	d.State, d.DoneAt, d.Problem = delivery.Failed, s.clock.Now(), noAddress
	return s.store.InTx(ctx, func(ctx context.Context) error {
		number, _, err := s.store.LastEvent(ctx, d.Company, d.Identification)
		if fault.Is(err, fault.NotFound) {
			d.State, d.Problem = delivery.Superseded, delivery.Deleted
			return s.ended(ctx, d)
		}
		if err != nil {
			return err
		}
		if err := s.ended(ctx, d); err != nil {
			return err
		}
		return s.notify(ctx, GivingUp, d, number)
	})
}

func (s *Service) body(ctx context.Context, d delivery.Delivery) ([]byte, error) {
	r, err := s.store.Result(ctx, d.Identification, d.ResultSeq)
	if err != nil {
		return nil, err
	}
	key, err := s.keys.Get(ctx, d.KeyID)
	if err != nil {
		return nil, err
	}
	return openJSON(key, d.Identification, r.Seq, r.JSON)
}

// end writes how a delivery ended. problem replaces that of the last try if it is not empty.
func (s *Service) end(ctx context.Context, d delivery.Delivery, state delivery.State, problem string) error {
	if problem != "" || state == delivery.Delivered {
		d.Problem = problem
	}
	d.State, d.DoneAt = state, s.clock.Now()
	if d.Event != company.Canceled { // nothing follows from it
		return s.store.EndDeliveryNow(ctx, d, s.node)
	}
	return s.store.InTx(ctx, func(ctx context.Context) error { return s.ended(ctx, d) })
}

// ended is end within a transaction. With the last word about a canceled identification
// goes what was kept of it only for that.
func (s *Service) ended(ctx context.Context, d delivery.Delivery) error {
	if err := s.store.EndDelivery(ctx, d, s.node); err != nil {
		return err
	}
	if d.Event != company.Canceled {
		return nil
	}
	open, err := s.store.OpenDeliveries(ctx, d.Identification)
	if err != nil || open > 0 {
		return err
	}
	return s.strip(ctx, d.Company, d.Identification, d.KeyID)
}

// fail writes a failed try down, and decides: again later, outdated, or given up.
func (s *Service) fail(ctx context.Context, d delivery.Delivery, began time.Time, p company.Policy, permanent bool) error {
	now := s.clock.Now()
	deadline := d.FirstAt.Add(s.clock.Scale(p.MaxTime))
	return s.store.InTx(ctx, func(ctx context.Context) error {
		// In the transaction: an event that comes at the same time must not be missed.
		number, last, err := s.store.LastEvent(ctx, d.Company, d.Identification)
		if fault.Is(err, fault.NotFound) {
			d.State, d.DoneAt, d.Problem = delivery.Superseded, now, delivery.Deleted
			return s.ended(ctx, d)
		}
		if err != nil {
			return err
		}
		if err := s.store.AddTry(ctx, d, delivery.Try{Number: d.Tries, At: began, Status: d.Status, Problem: d.Problem, Took: now.Sub(began)}); err != nil {
			return err
		}
		switch {
		case !permanent && last > d.Seq:
			d.State, d.DoneAt = delivery.Superseded, now
			if err := s.ended(ctx, d); err != nil {
				return err
			}
			return s.notify(ctx, Outdated, d, number)
		case permanent || !now.Before(deadline):
			d.State, d.DoneAt = delivery.Failed, now
			if err := s.ended(ctx, d); err != nil {
				return err
			}
			return s.notify(ctx, GivingUp, d, number)
		}
		round := d.Tries - d.Replayed
		d.DueAt = now.Add(s.clock.Scale(company.Backoff(round)))
		if d.DueAt.After(deadline) {
			d.DueAt = deadline
		}
		if round == 1 && p.WarnAfter > 0 {
			if err := s.warnLater(ctx, d, now.Add(s.clock.Scale(p.WarnAfter)), number); err != nil {
				return err
			}
		}
		s.store.AfterCommit(ctx, s.pump.Wake)
		return s.store.RetryDelivery(ctx, d, s.node)
	})
}

// Notice is a mail to the technical contact: one of the three of 14.6, or that a result
// could not be mailed.
type Notice string

// The notices.
const (
	Warning  Notice = "warning"
	GivingUp Notice = "error"
	Outdated Notice = "outdated"
	Unmailed Notice = "unmailed"
)

// NoticeMail is a notice ready to be written.
type NoticeMail struct {
	Notice   Notice
	To       string
	ID       string // the same when it is sent again after a crash
	Number   ident.TransactionNumber
	Delivery delivery.Delivery
	Date     time.Time
}

// Mailer sends notices and results. Permanent says that trying again is of no use.
type Mailer interface {
	Notify(ctx context.Context, m NoticeMail) (permanent bool, err error)
	// Post makes one try to hand a result over.
	Post(ctx context.Context, m ResultMail) Posted
}

// The jobs of this package.
const (
	Mail  job.Kind = "publish.notice"
	Strip job.Kind = "publish.strip"
)

// noticePayload is what a Mail job knows.
type noticePayload struct {
	Notice   Notice
	Delivery string
	Number   ident.TransactionNumber
}

func (s *Service) notify(ctx context.Context, n Notice, d delivery.Delivery, number ident.TransactionNumber) error {
	return s.noticeJob(ctx, n, d, number, time.Time{})
}

// warnLater has the warning sent a while after the first failure, should the delivery still
// be waiting then.
func (s *Service) warnLater(ctx context.Context, d delivery.Delivery, due time.Time, number ident.TransactionNumber) error {
	return s.noticeJob(ctx, Warning, d, number, due)
}

func (s *Service) noticeJob(ctx context.Context, n Notice, d delivery.Delivery, number ident.TransactionNumber, due time.Time) error {
	payload, err := json.Marshal(noticePayload{Notice: n, Delivery: d.ID, Number: number})
	if err != nil {
		return fmt.Errorf("writing a job: %w", err)
	}
	// Of no identification: its deletion must not take the word about it away.
	return s.jobs.Add(ctx, job.Job{Kind: Mail, Lane: "notice/" + d.ID, Company: d.Company, Payload: string(payload), DueAt: due})
}

// giveUpMail is how long a notice is tried to be sent.
const giveUpMail = 24 * time.Hour

// HandleMail sends a notice.
func (s *Service) HandleMail(ctx context.Context, j job.Job) error {
	var p noticePayload
	if err := json.Unmarshal([]byte(j.Payload), &p); err != nil {
		return fmt.Errorf("reading a job: %w", err)
	}
	a, known := s.accounts.Get(j.Company)
	d, err := s.store.Delivery(ctx, p.Delivery)
	if fault.Is(err, fault.NotFound) || !known || a.TechnicalContact == "" {
		return nil
	}
	if err != nil {
		return err
	}
	if p.Notice == Warning && d.State != delivery.Pending {
		return nil
	}
	now := s.clock.Now()
	permanent, err := s.mailer.Notify(ctx, NoticeMail{Notice: p.Notice, To: a.TechnicalContact, ID: j.ID, Number: p.Number, Delivery: d, Date: now})
	if err == nil {
		return nil
	}
	if permanent || now.Sub(j.CreatedAt) > giveUpMail {
		s.log.LogAttrs(ctx, slog.LevelError, "a notice cannot be sent", slog.String("delivery", d.ID), slog.String("notice", string(p.Notice)), slog.Any("error", err))
		return nil
	}
	return err
}

// Deliveries returns a company's deliveries by that way (empty: all), the newest first, or
// those of one identification, the first one first.
func (s *Service) Deliveries(ctx context.Context, c company.ID, id ident.ID, way delivery.Way, before time.Time, beforeID string, most int) ([]delivery.Delivery, error) {
	if id == "" {
		return s.store.Deliveries(ctx, c, way, before, beforeID, most)
	}
	all, err := s.store.DeliveriesOf(ctx, c, id)
	return slices.DeleteFunc(all, func(d delivery.Delivery) bool { return way != "" && d.Way != way }), err
}

// Tries returns the failed tries of a delivery.
func (s *Service) Tries(ctx context.Context, id string) ([]delivery.Try, error) {
	return s.store.Tries(ctx, id)
}

// Replay has a delivery that has ended made once more, with the same body and the same
// webhook-id. fault.NotFound when there is none, fault.Precondition when its content was
// deleted, or the account has the address no more; then the log stays as it was.
func (s *Service) Replay(ctx context.Context, c company.ID, id string) error {
	d, err := s.store.Delivery(ctx, id)
	if err != nil {
		return err
	}
	if d.Company != c || d.State == delivery.Pending {
		return fault.New(fault.NotFound, "no such delivery that has ended")
	}
	if _, err := s.body(ctx, d); fault.Is(err, fault.NotFound) {
		return fault.New(fault.Precondition, "its content was deleted")
	} else if err != nil {
		return err
	}
	if a, known := s.accounts.Get(c); d.Way == delivery.Webhook && (!known || hookAt(a, d.Target) < 0) {
		return fault.New(fault.Precondition, noAddress)
	}
	now := s.clock.Now()
	return s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.ReplayDelivery(ctx, c, id, now); err != nil {
			return err
		}
		s.store.AfterCommit(ctx, s.pump.Wake)
		s.store.AfterCommit(ctx, s.post.Wake)
		return s.store.Audit(ctx, entry(company.ID(c), now, "operator", "webhook.replayed", id))
	})
}

// inFlight is what is under way.
type inFlight struct {
	gate sync.Mutex
	all  map[string]delivery.Delivery
}

func (f *inFlight) add(ds ...delivery.Delivery) {
	f.gate.Lock()
	defer f.gate.Unlock()
	if f.all == nil {
		f.all = map[string]delivery.Delivery{}
	}
	for _, d := range ds {
		f.all[d.ID] = d
	}
}

func (f *inFlight) remove(d delivery.Delivery) {
	f.gate.Lock()
	defer f.gate.Unlock()
	delete(f.all, d.ID)
}

// full returns the addresses and the companies that one more look at the queue could bring
// beyond what they may have under way. There are never more than the store takes notice of:
// 512 are under way, an address counts from 33 on, a company from 161 on.
func (f *inFlight) full() (targets []string, companies []company.ID) {
	f.gate.Lock()
	defer f.gate.Unlock()
	to, of := map[string]int{}, map[company.ID]int{}
	for _, d := range f.all {
		if to[d.Target]++; to[d.Target] == perTarget-perLook+1 {
			targets = append(targets, d.Target)
		}
		if of[d.Company]++; of[d.Company] == perCompany-perLook+1 {
			companies = append(companies, d.Company)
		}
	}
	return targets, companies
}

type deliveryQueue struct{ s *Service }

func (q deliveryQueue) Claim(ctx context.Context, node string, now, until time.Time, most int) ([]delivery.Delivery, error) {
	targets, companies := q.s.underWay.full()
	got, err := q.s.store.ClaimDeliveries(ctx, delivery.Webhook, node, now, until, min(most, perLook), targets, companies)
	q.s.underWay.add(got...)
	return got, err
}

func (q deliveryQueue) ID(d delivery.Delivery) string { return d.ID }

func (q deliveryQueue) Extend(ctx context.Context, node string, ids []string, until time.Time) error {
	return q.s.store.ExtendDeliveries(ctx, node, ids, until)
}

func (q deliveryQueue) Next(ctx context.Context, now time.Time) (time.Time, error) {
	return q.s.store.NextDelivery(ctx, delivery.Webhook, now)
}

var _ jobs.Queue[delivery.Delivery] = deliveryQueue{}
