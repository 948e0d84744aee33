package publish

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/recipient"
	"vidimus/internal/domain/result"
	"vidimus/internal/service/account"
	"vidimus/internal/service/jobs"
)

// mailers is how many mails a node has under way at once: the mail server is one, and ours.
const mailers = 8

// ResultMail is one mail with a result (chapter 10).
type ResultMail struct {
	Mail        company.Mail
	Password    string            // of the ZIP
	Certificate *x509.Certificate // what the mail is encrypted to
	Link        string            // to the form
	Languages   []string          // of the company
	ID          string            // the same at every try
	Date        time.Time         // likewise
	Number      ident.TransactionNumber
	Ident       ident.ID
	ZIP         *ZIP
}

// Posted is how a try went. Status is what the mail server answered, zero: nothing. Problem
// is empty when it took the mail; otherwise a class, with nothing personal.
type Posted struct {
	Status    int
	Problem   string
	Permanent bool  // another try is of no use
	Uncertain bool  // it may have taken the mail: all was sent, and no answer came
	Cause     error // of reading the result; nil: that went well
}

// targets returns what the ledger calls each recipient: the address and the method, with a
// number where both stand in the list already.
func targets(all []company.Mail) []string {
	seen := map[string]int{}
	list := make([]string, len(all))
	for n, m := range all {
		t := fmt.Sprintf("%s (%s)", m.To, m.Method)
		if seen[t]++; seen[t] > 1 {
			t = fmt.Sprintf("%s (%s %d)", m.To, m.Method, seen[t])
		}
		list[n] = t
	}
	return list
}

// announceMail adds a delivery for each recipient of a final result.
func (s *Service) announceMail(ctx context.Context, a *account.Account, i *ident.Identification, r result.Stored, seq int64) error {
	if r.Event != company.Final || len(a.Mail) == 0 {
		return nil
	}
	var zip archive
	if err := json.Unmarshal([]byte(r.Archive), &zip); err != nil {
		return fmt.Errorf("reading the list of files: %w", err)
	}
	hash, err := hex.DecodeString(zip.Archive.SHA256)
	if err != nil {
		return fmt.Errorf("reading the hash of an archive: %w", err)
	}
	for n, target := range targets(a.Mail) {
		handed := hash
		if a.Mail[n].Method == company.Link {
			handed = []byte{} // nothing of the result is in the mail; whoever follows the link is recorded then
		}
		err := s.store.AddDelivery(ctx, delivery.Delivery{
			ID: "mail_" + s.newID(), Way: delivery.Mail, Company: i.Company, Identification: i.ID, Lane: lane(i.ID, "mail "+target), Seq: seq, Event: r.Event,
			ResultSeq: r.Seq, KeyID: i.KeyID, Target: target, Hash: handed, CreatedAt: r.CreatedAt, DueAt: r.CreatedAt,
		})
		if err != nil {
			return err
		}
	}
	s.store.AfterCommit(ctx, s.post.Wake)
	return nil
}

// tryMail makes one try to mail a result. That it begins is written down first: when a
// crash hides how it ended, the log says so, and the mail is sent again under the same
// Message-ID.
func (s *Service) tryMail(ctx context.Context, d delivery.Delivery) error {
	a, known := s.accounts.Get(d.Company)
	at := -1
	if known {
		for n, t := range targets(a.Mail) {
			if t == d.Target {
				at = n
			}
		}
	}
	if at < 0 {
		return s.end(ctx, d, delivery.Failed, "the account has this recipient no more")
	}
	began := s.clock.Now()
	if d.FirstAt.IsZero() {
		d.FirstAt = began
	}
	unsure := d.Problem == delivery.EndUnknown || d.Problem == delivery.Restored
	m, err := s.resultMail(ctx, a, at, d)
	switch {
	case fault.Is(err, fault.NotFound):
		return s.end(ctx, d, delivery.Superseded, delivery.Deleted)
	case fault.Is(err, fault.Invalid):
		d.Tries, d.Status, d.Problem = d.Tries+1, 0, fault.All(err)[0].Message
		return s.failMail(ctx, d, began, true)
	case err != nil:
		return err
	}
	if unsure {
		s.mayRepeat(ctx, d)
	}
	d.Tries, d.Status, d.Problem = d.Tries+1, 0, delivery.EndUnknown
	err = s.store.InTx(ctx, func(ctx context.Context) error {
		if err := s.store.BeginTry(ctx, d, s.node); err != nil {
			return err
		}
		return s.store.AddTry(ctx, d, delivery.Try{Number: d.Tries, At: began, Problem: d.Problem})
	})
	if err != nil {
		return err
	}
	posted := s.mailer.Post(ctx, m)
	d.Status, d.Problem = posted.Status, posted.Problem
	return s.posted(ctx, d, m, posted, began)
}

// posted writes down how a try went, however long that takes: trying again instead would
// send the mail twice.
func (s *Service) posted(ctx context.Context, d delivery.Delivery, m ResultMail, p Posted, began time.Time) error {
	return jobs.Persist(ctx, s.store.Late, func() error {
		switch {
		case p.Problem == "":
			if m.Mail.Method != company.Link {
				d.Bytes = m.ZIP.Size
			}
			d.State, d.DoneAt = delivery.Delivered, s.clock.Now()
			return s.mailed(ctx, d)
		case fault.Is(p.Cause, fault.NotFound):
			return s.end(ctx, d, delivery.Superseded, delivery.Deleted)
		}
		if p.Uncertain {
			s.mayRepeat(ctx, d)
		}
		return s.failMail(ctx, d, began, p.Permanent)
	})
}

// mailed writes down that the mail server took a mail, also when its identification was
// deleted meanwhile: then it was handed over all the same.
func (s *Service) mailed(ctx context.Context, d delivery.Delivery) error {
	write := func(end func(ctx context.Context) error) error {
		return s.store.InTx(ctx, func(ctx context.Context) error {
			if err := s.store.DropTry(ctx, d.ID, d.Tries); err != nil {
				return err
			}
			return end(ctx)
		})
	}
	err := write(func(ctx context.Context) error { return s.store.EndDelivery(ctx, d, s.node) })
	if !s.store.Late(err) {
		return err
	}
	d.Problem = ""
	err = write(func(ctx context.Context) error { return s.store.EndDroppedDelivery(ctx, d) })
	if err == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a mail was taken while its identification was being deleted", slog.String("delivery", d.ID),
			slog.String("identification", string(d.Identification)), slog.Int("try", d.Tries))
	}
	return err
}

// mayRepeat is the word in the log before a mail may arrive twice.
func (s *Service) mayRepeat(ctx context.Context, d delivery.Delivery) {
	s.log.LogAttrs(ctx, slog.LevelWarn, "a mail may arrive twice: how an earlier try ended is not known", slog.String("delivery", d.ID),
		slog.String("identification", string(d.Identification)), slog.Int("try", d.Tries))
}

// resultMail makes the mail. fault.NotFound when the identification is gone; fault.Invalid,
// whose message is a problem for the ledger, when this mail can never be sent.
func (s *Service) resultMail(ctx context.Context, a *account.Account, at int, d delivery.Delivery) (ResultMail, error) {
	m := ResultMail{Mail: a.Mail[at], Languages: a.Languages, ID: d.ID, Date: d.CreatedAt, Ident: d.Identification}
	i, err := s.store.IdentificationByID(ctx, d.Company, d.Identification)
	if err != nil {
		return m, err
	}
	r, err := s.store.Result(ctx, d.Identification, d.ResultSeq)
	if err != nil {
		return m, err
	}
	key, err := s.keys.Get(ctx, d.KeyID)
	if err != nil {
		return m, err
	}
	if m.ZIP, err = s.archived(i, r, d.KeyID, key); err != nil {
		return m, err
	}
	m.Number = i.Number
	switch m.Mail.Method {
	case company.AESZip:
		m.Password = a.Secrets.MailPasswords[at]
	case company.SMIME:
		if m.Certificate, err = recipient.Choose(m.Mail.Certificates, s.clock.Now()); err != nil {
			return m, fault.New(fault.Invalid, "the certificate %s", fault.All(err)[0].Message)
		}
	case company.Link:
		m.Link = s.Link(i)
		return m, nil
	}
	if m.ZIP.Size > s.maxMail {
		return m, fault.New(fault.Invalid, "too large for a mail: %d MiB, where %d are the limit", m.ZIP.Size>>20+1, s.maxMail>>20)
	}
	return m, nil
}

// failMail writes a failed try down, and decides: again later, or given up.
func (s *Service) failMail(ctx context.Context, d delivery.Delivery, began time.Time, permanent bool) error {
	now := s.clock.Now()
	deadline := d.FirstAt.Add(s.clock.Scale(company.DefaultMaxTime))
	return s.store.InTx(ctx, func(ctx context.Context) error {
		number, _, err := s.store.LastEvent(ctx, d.Company, d.Identification)
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
		if permanent || !now.Before(deadline) {
			d.State, d.DoneAt = delivery.Failed, now
			if err := s.ended(ctx, d); err != nil {
				return err
			}
			return s.notify(ctx, Unmailed, d, number)
		}
		d.DueAt = now.Add(s.clock.Scale(company.Backoff(d.Tries - d.Replayed)))
		if d.DueAt.After(deadline) {
			d.DueAt = deadline
		}
		s.store.AfterCommit(ctx, s.post.Wake)
		return s.store.RetryDelivery(ctx, d, s.node)
	})
}

// mailQueue is the deliveries by mail.
type mailQueue struct{ deliveryQueue }

func (q mailQueue) Claim(ctx context.Context, node string, now, until time.Time, most int) ([]delivery.Delivery, error) {
	return q.s.store.ClaimDeliveries(ctx, delivery.Mail, node, now, until, min(most, mailers), nil, nil)
}

func (q mailQueue) Next(ctx context.Context, now time.Time) (time.Time, error) {
	return q.s.store.NextDelivery(ctx, delivery.Mail, now)
}

// Member is one file of an archive.
type Member struct {
	Name string
	Size int64
	Open func() (io.ReadCloser, error)
}

// Files lists the files of the archive, each to be read by itself.
func (z *ZIP) Files(ctx context.Context) []Member {
	all := make([]Member, len(z.archive.Archive.Members))
	for n, m := range z.archive.Archive.Members {
		all[n] = Member{Name: m.Name, Size: m.Size, Open: func() (io.ReadCloser, error) {
			if n >= len(z.archive.Sources) {
				return nil, errors.New("a file of an archive has no source")
			}
			return z.open(ctx, z.archive.Sources[n])
		}}
	}
	return all
}

// Modified is the time that every file of the archive has.
func (z *ZIP) Modified() time.Time { return z.archive.Archive.Modified }
