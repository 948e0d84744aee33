// Package robot plays the people of a test: the user who asks to be identified, the agent
// who does it, the reviewer who looks at it again. It uses the same services as people do,
// one job a step. Specification, chapter 15. Only the test environment has robots.
package robot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"vidimus/internal/domain/clock"
	"vidimus/internal/domain/esign"
	"vidimus/internal/domain/evidence"
	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/job"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/question"
	"vidimus/internal/domain/scenario"
	"vidimus/internal/service/account"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/videoident"
)

// The robots' names.
const (
	Agent    = "TROBOT"
	Reviewer = "TREVIEWER"
)

// How long a robot takes for its part. These are durations of the specification.
const (
	shortestTalk   = 10 * time.Second
	longestTalk    = 30 * time.Second
	shortestReview = 60 * time.Second
	longestReview  = 120 * time.Second
	longReview     = 24 * time.Hour
	holdReview     = 10 * time.Minute
)

// The jobs; the payload is the attempt's number.
const (
	Take   job.Kind = "robot.take"
	Talk   job.Kind = "robot.talk"
	Review job.Kind = "robot.review"
)

// Video is how an attempt is carried out, by people or robots.
type Video interface {
	Request(ctx context.Context, c videoident.Case, m ident.Method, ch ident.Channel, also func(ctx context.Context, attempt ident.Attempt) error) error
	Take(ctx context.Context, c videoident.Case, agent string) error
	Open(ctx context.Context, c videoident.Case) (*dossier.Dossier, error)
	LastMethod(ctx context.Context, c videoident.Case) (ident.Method, error)
	Record(ctx context.Context, c videoident.Case, pieces ...videoident.Piece) error
	Conclude(ctx context.Context, c videoident.Case, v evidence.Verdict) error
	Abort(ctx context.Context, c videoident.Case, reason ident.Reason, by string) error
	Review(ctx context.Context, c videoident.Case, v evidence.Review) error
}

// Specimen draws the pictures of a made-up document and its holder, and has the recordings
// of a made-up conversation.
type Specimen interface {
	// Picture draws the picture with that key (13.1.6), as jpeg or png.
	Picture(p person.Data, key, format string) ([]byte, error)
	// Audio returns the sound as mp3 or wav; Video the video as MP4.
	Audio(format string) []byte
	Video() []byte
	// Hand returns what somebody of that name writes as a signature.
	Hand(name string) []esign.Stroke
}

// Documents is what an identification has to sign; package signing.
type Documents interface {
	Any(ctx context.Context, i ident.Identification) (bool, error)
	// Hashes are those of the documents that the ident code confirms.
	Hashes(ctx context.Context, i ident.Identification) ([]string, error)
	// Draw keeps what the user wrote by hand.
	Draw(ctx context.Context, i ident.Identification, hand []esign.Stroke) error
}

// Jobs takes work for later.
type Jobs interface {
	InTx(ctx context.Context, do func(ctx context.Context) error) error
	Add(ctx context.Context, j job.Job) error
}

// Options are the parts a Service is made of.
type Options struct {
	Video    Video
	Specimen Specimen
	Signing  Documents
	Jobs     Jobs
	Accounts *account.Directory
	Clock    clock.Clock
	Random   io.Reader // how long things take
}

// Service is the robots.
type Service struct{ o Options }

// New returns the service.
func New(o Options) *Service { return &Service{o: o} }

// Selected returns the scenario that the identification selects for user and agent both;
// false when it selects none.
func (s *Service) Selected(ctx context.Context, i ident.Identification) (scenario.Name, bool, error) {
	if len(i.Sealed) == 0 {
		return "", false, nil
	}
	d, err := s.o.Video.Open(ctx, videoident.Case{Company: i.Company, ID: i.ID})
	if err != nil {
		return "", false, err
	}
	selected, err := scenario.Of(d.Application)
	if err != nil || selected.Prefix != scenario.AutoTest {
		return "", false, err
	}
	return selected.Name, true, nil
}

// Plays says whether robots carry the identification out: because its data select it, or,
// where a cancellation has left none, because they carried out its last attempt.
func (s *Service) Plays(ctx context.Context, i ident.Identification) (bool, error) {
	if i.State == ident.Canceled && len(i.Sealed) == 0 {
		m, err := s.o.Video.LastMethod(ctx, videoident.Case{Company: i.Company, ID: i.ID})
		return m == ident.Robot, err
	}
	_, ok, err := s.Selected(ctx, i)
	return ok, err
}

// Request starts the test (15.2): the user asks for an agent. Asking again while a test
// runs changes nothing; after its end it is fault.Finished. fault.Precondition when the
// data select no scenario, or one that does not go with the documents, or a document that is
// required has no file.
func (s *Service) Request(ctx context.Context, i ident.Identification) error {
	name, ok, err := s.Selected(ctx, i)
	if err != nil {
		return err
	}
	if !ok && i.State == ident.Canceled {
		return fault.Of(fault.Finished)
	}
	if !ok {
		return fault.New(fault.Precondition, "the data select no test scenario")
	}
	if i.State.Open() {
		return nil
	}
	if err := s.fits(ctx, i, name); err != nil {
		return err
	}
	c := videoident.Case{Company: i.Company, ID: i.ID}
	return s.o.Video.Request(ctx, c, ident.Robot, ident.Web, func(ctx context.Context, a ident.Attempt) error {
		return s.add(ctx, Take, c, a.Number, 0)
	})
}

// fits says whether the scenario can be played: some need documents to sign, and some do not
// know what to do with them (15.1).
func (s *Service) fits(ctx context.Context, i ident.Identification, name scenario.Name) error {
	any, err := s.o.Signing.Any(ctx, i)
	switch {
	case err != nil:
		return err
	case name == scenario.HoldCertificate && !any:
		return fault.New(fault.Precondition, "the scenario needs documents to sign")
	case (name == scenario.FraudIdent || name == scenario.FraudReview) && any:
		return fault.New(fault.Precondition, "the scenario is not supported with documents to sign")
	}
	return nil
}

// add leaves a job for the next step, to be taken after that while.
func (s *Service) add(ctx context.Context, kind job.Kind, c videoident.Case, attempt int, after time.Duration) error {
	return s.o.Jobs.Add(ctx, job.Job{
		Kind: kind, Lane: string(c.ID), Company: c.Company, Identification: c.ID, Payload: strconv.Itoa(attempt),
		DueAt: s.o.Clock.Now().Add(s.o.Clock.Scale(after)),
	})
}

// between draws a duration.
func (s *Service) between(least, most time.Duration) (time.Duration, error) {
	var b [2]byte
	if _, err := io.ReadFull(s.o.Random, b[:]); err != nil {
		return 0, fmt.Errorf("drawing a duration: %w", err)
	}
	return least + (most-least)*time.Duration(int(b[0])<<8|int(b[1]))/65535, nil
}

// step opens what a job is about; nil when its time is over: the identification is gone,
// or another attempt has followed, or it is not in that state.
func (s *Service) step(ctx context.Context, j job.Job, in ...ident.State) (*dossier.Dossier, error) {
	number, err := strconv.Atoi(j.Payload)
	if err != nil {
		return nil, fmt.Errorf("reading a job: %w", err)
	}
	d, err := s.o.Video.Open(ctx, videoident.Case{Company: j.Company, ID: j.Identification})
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if d.Attempts != number {
		return nil, nil
	}
	for _, state := range in {
		if d.State == state {
			return d, nil
		}
	}
	return nil, nil
}

// HandleTake has the robot take the waiting user.
func (s *Service) HandleTake(ctx context.Context, j job.Job) error {
	d, err := s.step(ctx, j, ident.Waiting, ident.InProcess)
	if err != nil || d == nil {
		return err
	}
	c := videoident.Case{Company: j.Company, ID: j.Identification}
	if d.State == ident.Waiting {
		if err := s.o.Video.Take(ctx, c, Agent); err != nil {
			return err
		}
	}
	return s.next(ctx, Talk, c, d.Attempts, shortestTalk, longestTalk)
}

func (s *Service) next(ctx context.Context, kind job.Kind, c videoident.Case, attempt int, least, most time.Duration) error {
	after, err := s.between(least, most)
	if err != nil {
		return err
	}
	return s.o.Jobs.InTx(ctx, func(ctx context.Context) error { return s.add(ctx, kind, c, attempt, after) })
}

// HandleTalk has the robot end the conversation: with a verdict, or without one.
func (s *Service) HandleTalk(ctx context.Context, j job.Job) error {
	d, err := s.step(ctx, j, ident.InProcess, ident.ReviewPending, ident.FraudPending)
	if err != nil || d == nil {
		return err
	}
	selected, err := scenario.Of(d.Application)
	if err != nil {
		return err
	}
	c := videoident.Case{Company: j.Company, ID: j.Identification}
	if d.State == ident.InProcess {
		if selected.Name == scenario.AbortIdent {
			return s.o.Video.Abort(ctx, c, ident.TechVideo, "agent:"+Agent)
		}
		if err := s.identify(ctx, c, d, selected.Name); err != nil {
			return err
		}
	}
	least, most := shortestReview, longestReview
	switch selected.Name {
	case scenario.LongReview:
		least, most = longReview, longReview
	case scenario.HoldCertificate:
		least, most = holdReview, holdReview
	default:
	}
	return s.next(ctx, Review, c, d.Attempts, least, most)
}

// identify records the evidence and gives the verdict.
func (s *Service) identify(ctx context.Context, c videoident.Case, d *dossier.Dossier, name scenario.Name) error {
	a, ok := s.o.Accounts.Get(c.Company)
	if !ok {
		return errors.New("the company is gone")
	}
	data := s.read(d.Application, d.ID, a.StreetNumberInStreet)
	if name == scenario.ChangeAll {
		data = changed(data)
	}
	if d.Evidence.Last == 0 {
		pieces, err := s.evidence(ctx, a, d, data)
		if err != nil {
			return err
		}
		confirmation, err := s.consent(ctx, d, data)
		if err != nil {
			return err
		}
		pieces = append(pieces, confirmation...)
		if err := s.o.Video.Record(ctx, c, pieces...); err != nil {
			return err
		}
		if d, err = s.o.Video.Open(ctx, c); err != nil {
			return err
		}
	}
	v := evidence.Verdict{Data: data}
	for n := range d.Evidence.Last {
		v.Rests = append(v.Rests, n+1)
	}
	switch name {
	case scenario.FraudIdent:
		v.Suspect = "WARNING_FAKE_ID"
	case scenario.FraudOK:
		v.Suspect = "WARNING_INCONSISTENT_DATA"
	default:
	}
	return s.o.Video.Conclude(ctx, c, v)
}

// consent has the robot do what a user does who signs documents: write, and enter the code
// that was sent for exactly these documents.
func (s *Service) consent(ctx context.Context, d *dossier.Dossier, data person.Data) ([]videoident.Piece, error) {
	hashes, err := s.o.Signing.Hashes(ctx, d.Identification)
	if err != nil || len(hashes) == 0 {
		return nil, err
	}
	name := data.Userdata[person.Firstname] + " " + data.Userdata[person.Lastname]
	if err := s.o.Signing.Draw(ctx, d.Identification, s.o.Specimen.Hand(name)); err != nil {
		return nil, err
	}
	now := s.o.Clock.Now()
	return []videoident.Piece{{What: evidence.Code{To: person.Masked(d.Application), SentAt: now, EnteredAt: now, Documents: hashes}}}, nil
}

// HandleReview has the second robot decide.
func (s *Service) HandleReview(ctx context.Context, j job.Job) error {
	d, err := s.step(ctx, j, ident.ReviewPending, ident.FraudPending)
	if err != nil || d == nil {
		return err
	}
	selected, err := scenario.Of(d.Application)
	if err != nil {
		return err
	}
	if d.Verdict == nil {
		return errors.New("a preliminary result without a verdict")
	}
	v := evidence.Review{Reviewer: Reviewer, Decision: evidence.Confirm}
	switch selected.Name {
	case scenario.ChangeAllReview:
		v.Decision, v.Data = evidence.Correct, changed(d.Verdict.Data)
	case scenario.FraudIdent:
		v.Decision, v.Reason = evidence.ConfirmFraud, d.Verdict.Suspect
	case scenario.FraudReview:
		v.Decision, v.Reason = evidence.ConfirmFraud, "WARNING_PHOTO"
	case scenario.FraudOK:
		v.Decision = evidence.ClearFraud
	case scenario.Canceled:
		v.Decision, v.Reason = evidence.Cancel, ident.TechPhoto
	default:
	}
	return s.o.Video.Review(ctx, videoident.Case{Company: j.Company, ID: j.Identification}, v)
}

// pictures are what a robot takes of every document and its holder.
var pictures = []string{"idfrontside", "idbackside", "userface", "security1", "security2", "security3"}

// evidence makes what a conversation leaves behind.
func (s *Service) evidence(ctx context.Context, a *account.Account, d *dossier.Dossier, data person.Data) ([]videoident.Piece, error) {
	began, err := s.o.Accounts.At(ctx, a.ID, d.CompanyRevision)
	if err != nil {
		return nil, err
	}
	var pieces []videoident.Piece
	for _, f := range person.Fields {
		if v := data.Userdata[f]; v != "" {
			pieces = append(pieces, videoident.Piece{What: evidence.Reading{Field: string(f), Value: v, Source: evidence.VisualZone}})
		}
	}
	for _, f := range person.DocumentFields {
		if v := data.Document[f]; v != "" {
			pieces = append(pieces, videoident.Piece{What: evidence.Reading{Field: "document." + string(f), Value: v, Source: evidence.MRZ}})
		}
	}
	keys := slices.Clone(pictures)
	answers := reply(began.Questions, data, d.Application)
	for _, q := range began.Questions {
		v, answered := answers[q.Key]
		switch {
		case !answered:
		case q.Type == question.CustomImage:
			keys = append(keys, q.Key)
		default:
			pieces = append(pieces, videoident.Piece{What: evidence.Answer{Key: q.Key, Value: v}})
		}
	}
	for _, key := range keys {
		b, err := s.o.Specimen.Picture(data, key, string(a.Results.ImageFormat))
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", key, err)
		}
		pieces = append(pieces, videoident.Piece{What: evidence.Image{Key: key, Format: string(a.Results.ImageFormat), By: Agent}, Bytes: b})
	}
	audio := string(a.Results.AudioFormat)
	pieces = append(pieces,
		videoident.Piece{What: evidence.Recording{Key: "audiolog", Format: audio}, Bytes: s.o.Specimen.Audio(audio)},
		videoident.Piece{What: evidence.Recording{Key: "videolog", Format: "mp4"}, Bytes: s.o.Specimen.Video()},
	)
	for n, name := range []string{evidence.PersonPresent, evidence.DocumentGenuine, evidence.FaceMatches} {
		pieces = append(pieces, videoident.Piece{What: evidence.Check{Name: name, Passed: true, By: Agent, AtVideo: float64(n + 1)}})
	}
	return pieces, nil
}
