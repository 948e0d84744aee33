package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"vidimus/internal/blob"
	"vidimus/internal/delivery/mail"
	"vidimus/internal/delivery/webhook"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/person"
	"vidimus/internal/keys"
	"vidimus/internal/media/specimen"
	"vidimus/internal/pdf/appearance"
	"vidimus/internal/service/jobs"
	"vidimus/internal/service/publish"
	"vidimus/internal/service/vault"
	"vidimus/internal/store"
)

// The types here let the services use the adapters without knowing their types.

// keyring is vault.Keys over the key store.
type keyring struct {
	store *keys.Store
	spare chan spareKey
	now   func() time.Time
}

// spareKey is a drawn key that was not used after all.
type spareKey struct {
	id  string
	key vault.Key
	at  time.Time // when it was given back
}

// spareKeys is how many of them are kept, and spareFor how long: the key store's sweep finds
// those beyond, and destroys what nothing was sealed under after unusedFor.
const (
	spareKeys = 256
	spareFor  = time.Hour
)

func (k *keyring) Draw(ctx context.Context) (string, vault.Key, error) {
	for {
		select {
		case s := <-k.spare:
			if k.now().Sub(s.at) < spareFor {
				return s.id, s.key, nil
			}
			continue // too old: the sweep may have it at any time
		default:
		}
		break
	}
	id, key, err := k.store.Draw(ctx)
	if err != nil {
		return "", nil, err
	}
	return string(id), key, nil
}

func (k *keyring) Undraw(id string, key vault.Key) {
	select {
	case k.spare <- spareKey{id, key, k.now()}:
	default:
	}
}

func (k *keyring) Get(ctx context.Context, id string) (vault.Key, error) {
	key, err := k.store.Get(ctx, keys.ID(id))
	if errors.Is(err, keys.ErrDestroyed) {
		return nil, fault.Of(fault.NotFound).Because(err)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

func (k *keyring) GetMany(ctx context.Context, ids []string) (map[string]vault.Key, error) {
	list := make([]keys.ID, len(ids))
	for i, id := range ids {
		list[i] = keys.ID(id)
	}
	got, err := k.store.GetMany(ctx, list)
	if err != nil && !errors.Is(err, keys.ErrDestroyed) { // those that are left are in the map
		return nil, err
	}
	all := make(map[string]vault.Key, len(got))
	for id, key := range got {
		all[string(id)] = key
	}
	return all, nil
}

// Missing is retention.Keys.
func (k *keyring) Missing(ctx context.Context, ids []string) (map[string]bool, error) {
	list := make([]keys.ID, len(ids))
	for i, id := range ids {
		list[i] = keys.ID(id)
	}
	got, err := k.store.Missing(ctx, list)
	if err != nil {
		return nil, err
	}
	missing := make(map[string]bool, len(got))
	for id := range got {
		missing[string(id)] = true
	}
	return missing, nil
}

// Known is retention.Keys.
func (k *keyring) Known(id string) bool { return k.store.Known(keys.ID(id)) }

func (k *keyring) Destroy(ctx context.Context, ids ...string) error {
	list := make([]keys.ID, len(ids))
	for i, id := range ids {
		list[i] = keys.ID(id)
	}
	return k.store.Destroy(ctx, list...)
}

// folder writes blobs in one go.
type folder struct{ blob.Store }

func (f folder) Create(ctx context.Context, name string, write func(w io.Writer) error) error {
	w, err := f.Store.Create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := write(w); err != nil {
		return err
	}
	return w.Commit()
}

// hooks is publish.Sender over the webhook client.
type hooks struct{ client *webhook.Client }

func (h hooks) Send(ctx context.Context, url, secret, id string, body []byte) (int, string) {
	s, err := webhook.ParseSecret(secret)
	if err != nil {
		return 0, "the secret of the address cannot be read"
	}
	o := h.client.Send(ctx, webhook.Request{URL: url, Secret: s, ID: id, Body: body})
	return o.Status, o.Err
}

// notices is publish.Mailer over mail.
type notices struct{ sender mail.Sender }

var noticeKinds = map[publish.Notice]mail.Kind{publish.Warning: mail.Warning, publish.GivingUp: mail.GivingUp, publish.Outdated: mail.Outdated}

func (n notices) Notify(ctx context.Context, m publish.NoticeMail) (bool, error) {
	d := m.Delivery
	data := mail.NoticeData{
		Company: string(d.Company), IdentID: string(d.Identification), TransactionNumber: string(m.Number), Event: string(d.Event),
		Endpoint: d.Target, Tries: d.Tries, LastStatus: d.Status, LastError: d.Problem,
	}
	var subject, text string
	if m.Notice == publish.Unmailed {
		subject, text = mail.Unmailed(data)
	} else {
		subject, text = mail.Notice(noticeKinds[m.Notice], data)
	}
	err := n.sender.Send(ctx, mail.Message{To: m.To, Subject: subject, Text: text, ID: m.ID, Date: m.Date})
	return err != nil && mail.Permanent(err), err
}

// outbox is identify.Outbox over the folder of mails.
type outbox struct{ data string }

func (o outbox) Forget(_ context.Context, id ident.ID) error { return mail.Forget(o.data, string(id)) }

// smtpDone is the answer of a mail server that has taken a mail.
const smtpDone = 250

func (n notices) Post(ctx context.Context, m publish.ResultMail) publish.Posted {
	r := mail.ResultMail{
		To: m.Mail.To, ID: m.ID, Date: m.Date, Method: m.Mail.Method, Languages: m.Languages, IdentID: string(m.Ident), TransactionNumber: string(m.Number),
		Password: m.Password, Certificate: m.Certificate, Link: m.Link, Name: m.ZIP.Name, Size: m.ZIP.Size, Modified: m.ZIP.Modified(),
		Write: func(w io.Writer) error { return m.ZIP.Write(ctx, w) },
	}
	for _, f := range m.ZIP.Files(ctx) {
		r.Members = append(r.Members, mail.Member{Name: f.Name, Size: f.Size, Open: f.Open})
	}
	message, err := r.Message()
	if err != nil {
		return publish.Posted{Problem: err.Error(), Permanent: true}
	}
	err = n.sender.Send(ctx, message)
	if err == nil {
		return publish.Posted{Status: smtpDone}
	}
	p := publish.Posted{Problem: err.Error(), Permanent: mail.Permanent(err), Uncertain: mail.Uncertain(err), Cause: errors.Unwrap(err)}
	if e, ok := errors.AsType[*mail.Error](err); ok {
		p.Status, p.Problem = e.Code, e.What
	}
	return p
}

// specimens is robot.Specimen over the drawings.
type specimens struct{}

func (specimens) Picture(p person.Data, key, format string) ([]byte, error) {
	u, d := p.Userdata, p.Document
	return specimen.Render(specimen.Holder{
		Title: u[person.Title], FirstNames: u[person.Firstname], LastName: u[person.Lastname], BirthName: u[person.Birthname],
		Birthday: u[person.Birthday], Birthplace: u[person.Birthplace], Nationality: u[person.Nationality], Gender: u[person.Gender],
		Street: u[person.Street], StreetNumber: u[person.StreetNumber], Zip: u[person.Zipcode], City: u[person.City], Country: u[person.Country],
		Document: specimen.Document{
			Type: d[person.DocumentType], Country: d[person.DocumentCountry], Number: d[person.DocumentNumber], ValidUntil: d[person.ValidUntil],
			IssuedBy: d[person.IssuedBy], DateIssued: d[person.DateIssued],
		},
	}, key, format)
}

func (specimens) Audio(format string) []byte { return specimen.Audio(format) }
func (specimens) Video() []byte              { return specimen.Video() }

// Hand scales the strokes to the surface that a user writes on.
func (specimens) Hand(name string) []esign.Stroke {
	strokes := appearance.Scribble(name)
	var points []appearance.Point
	for _, line := range strokes {
		points = append(points, line...)
	}
	x := func(p appearance.Point) float64 { return p.X }
	y := func(p appearance.Point) float64 { return p.Y }
	left, top := least(points, x), least(points, y)
	size := max(-least(points, func(p appearance.Point) float64 { return -p.X })-left, -least(points, func(p appearance.Point) float64 { return -p.Y })-top, 1e-9)
	hand := make([]esign.Stroke, len(strokes))
	for i, line := range strokes {
		for _, p := range line {
			hand[i] = append(hand[i], esign.Point{X: (p.X - left) / size, Y: (p.Y - top) / size})
		}
	}
	return hand
}

func least(points []appearance.Point, of func(appearance.Point) float64) float64 {
	return of(slices.MinFunc(points, func(a, b appearance.Point) int { return cmp.Compare(of(a), of(b)) }))
}

// robotJobs adds jobs in transactions.
type robotJobs struct {
	runner *jobs.Runner
	db     *store.DB
}

func (r robotJobs) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	return r.db.InTx(ctx, do)
}

func (r robotJobs) Add(ctx context.Context, j job.Job) error { return r.runner.Add(ctx, j) }
