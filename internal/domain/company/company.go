// Package company decides what an account is: its names, its products and features, where
// its results go and what they look like, and which settings are right. Specification,
// chapters 1, 6.2, 7.1.2, 13 and 14.6, and whatever there "can be configured". Secrets are
// kept apart from settings, so that settings can be stored, shown and versioned in clear.
package company

import (
	"log/slog"
	"slices"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/question"
)

// Company is one account with everything that its file sets, but its secrets. It survives
// encoding/json unchanged. Use New to make one: a zero field is not always the default.
type Company struct {
	ID                   ID
	Shortcode            Shortcode
	Name                 string
	TechnicalContact     string // who gets the warnings of 14.6.1; empty: nobody
	Products             []Product
	Realtime             bool // preliminary results are handed out
	Archive              bool // the archive route is open
	CopyTo               []ID // the accounts that it may copy to, besides itself
	UserdataForm         bool // the form of chapter 4 is open
	SecureDownload       bool // the form of chapter 11 is open
	Redirects            Redirects
	Webhooks             []Webhook
	Mail                 []Mail
	SFTP                 SFTP
	Results              Results
	StreetNumberInStreet bool // the street number is part of the field street (3.2.8)
	PublicWaitingTime    bool // the company information is read without credentials (6.4)
	Retention            Retention
	Questions            []question.Definition // in the order in which the agent sees them
	ESign                ESign
	Embedding            Embedding
	Languages            []string // ISO 639-1, in the order in which they are offered
	Branding             Branding
}

// Product is what a company may have its users do (chapter 1).
type Product string

// The products.
const (
	VideoIdent Product = "videoident"
	AutoIdent  Product = "autoident"
	ESigning   Product = "esign"
)

// Redirects says where a user's browser goes at the end (6.2). Empty: it stays.
type Redirects struct {
	Success Redirect
	Failure Redirect
}

// Event is what a webhook tells (14.2).
type Event string

// The events of webhooks.
const (
	Realtime Event = "REALTIME" // a preliminary result
	Final    Event = "FINAL"    // a result after its review
	Aborted  Event = "ABORTED"  // an attempt that may be followed by another
	Canceled Event = "CANCELED" // the review found the identification not usable
)

// Events lists every event of webhooks in the order of an identification's life.
var Events = []Event{Realtime, Final, Aborted, Canceled}

// Webhook is one address that is told about events. Its secret is Secrets.WebhookSecrets at
// the same index.
type Webhook struct {
	URL              string
	Events           []Event
	Retry            Policy
	SecretConfigured bool // the file names the secret; otherwise the server makes one and keeps it
}

// Wants says whether the webhook is told about e.
func (w Webhook) Wants(e Event) bool { return slices.Contains(w.Events, e) }

// Method is how results travel in a mail (chapter 10).
type Method string

// The methods of mail.
const (
	AESZip Method = "aes_zip" // a ZIP under a password, Secrets.MailPasswords at the same index
	SMIME  Method = "smime"   // encrypted to a certificate
	Link   Method = "link"    // a link to the form of chapter 11
)

// Mail is one recipient of results.
type Mail struct {
	To           string
	Method       Method
	Certificates [][]byte // only for SMIME: X.509 in DER, in the order of the file
}

// SFTP says who may fetch results by key (chapter 9).
type SFTP struct {
	SSHKeys []string // as in authorized_keys: type, base64 and maybe a comment, no options
}

// Retention says after which time things are deleted.
type Retention struct {
	Results    time.Duration // of a finished identification
	Unfinished time.Duration // of one that nobody finishes, from its creation
	Aborted    time.Duration // of the evidence of an attempt that was aborted, from its end; zero: 7 days
}

// AbortedFor returns how long the evidence of an aborted attempt is kept: 7 days for an account
// that was applied before there was the setting.
func (r Retention) AbortedFor() time.Duration {
	if r.Aborted <= 0 {
		return DefaultAborted
	}
	return r.Aborted
}

// Datacenter is where documents are signed; it decides about their signatures (7.1.2).
type Datacenter string

// The data centres.
const (
	DE Datacenter = "DE"
	CH Datacenter = "CH" // one signature a document, and signatureFontSize2
)

// ESign says how documents are signed (chapter 7).
type ESign struct {
	Handwritten bool
	Seals       map[string]Image // by the name that signatureImage uses
	Datacenter  Datacenter
	IdentCode   bool  // the user confirms the documents by the ident code
	Level       Level // empty: DefaultLevel
}

// Level is how long signatures can be proved (ETSI EN 319 142-1, 6).
type Level string

// The levels of PAdES.
const (
	LevelB       Level = "B-B"   // a signature
	LevelT       Level = "B-T"   // with a time-stamp
	LevelLT      Level = "B-LT"  // with all that proves them later on
	LevelLTA     Level = "B-LTA" // with a time-stamp over all of it
	DefaultLevel       = LevelLT
)

// Levels lists them, the longest proof last.
var Levels = []Level{LevelB, LevelT, LevelLT, LevelLTA}

// SignatureLevel is the level that documents are signed with.
func (e ESign) SignatureLevel() Level {
	if e.Level == "" {
		return DefaultLevel
	}
	return e.Level
}

// Embedding says who may show the user's pages in a frame.
type Embedding struct {
	Origins []string // scheme and host, maybe a port; empty: anybody
}

// Branding is how the user's pages look.
type Branding struct {
	Logo   Image  // PNG or SVG; zero: none
	Colour string // #rgb or #rrggbb; empty: ours
	Host   string // the host name of the user's pages; empty: the server's own
}

// What holds where a company's file says nothing.
const (
	DefaultFilename  = "{transactionnumber}"
	DefaultRetention = 90 * 24 * time.Hour
	DefaultAborted   = 7 * 24 * time.Hour
)

// New returns a company with the defaults of everything that its file need not set: VideoIdent, no
// feature, results kept 90 days, pages in German and English.
func New(id ID, shortcode Shortcode, name string) Company {
	return Company{
		ID:        id,
		Shortcode: shortcode,
		Name:      name,
		Products:  []Product{VideoIdent},
		Results:   Results{Filename: DefaultFilename, ImageFormat: JPEG, AudioFormat: MP3},
		Retention: Retention{Results: DefaultRetention, Unfinished: DefaultRetention, Aborted: DefaultAborted},
		ESign:     ESign{Datacenter: DE},
		Languages: []string{"de", "en"},
	}
}

// RequireCopyTo returns fault.Forbidden when the account may not copy identifications to
// that company. To itself it always may.
func (c Company) RequireCopyTo(target ID) error {
	if target == c.ID || slices.Contains(c.CopyTo, target) {
		return nil
	}
	return fault.New(fault.Forbidden, "the account may not copy to this company")
}

// Question returns the question with that key; false when there is none.
func (c Company) Question(key string) (question.Definition, bool) {
	i := slices.IndexFunc(c.Questions, func(d question.Definition) bool { return d.Key == key })
	if i < 0 {
		return question.Definition{}, false
	}
	return c.Questions[i], true
}

// LogValue keeps people's addresses out of logs.
func (c Company) LogValue() slog.Value { return slog.StringValue("company " + string(c.ID)) }

// Secrets is what a company's file holds and nobody may see. It is never a part of a
// Company.
type Secrets struct {
	APIKeys        []string
	MailPasswords  []string // at the index of the mail; empty where its method needs none
	WebhookSecrets []string // at the index of the webhook, whsec_ and base64; empty where the file names none
}

const withheld = "company secrets (withheld)"

// LogValue is the net below anyone who logs secrets by mistake.
func (Secrets) LogValue() slog.Value { return slog.StringValue(withheld) }

// String is the same net below fmt.
func (Secrets) String() string { return withheld }

// GoString is the same net below %#v.
func (Secrets) GoString() string { return withheld }
