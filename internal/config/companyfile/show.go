package companyfile

import (
	"strconv"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/question"
)

// Show returns a company's settings in the shape of its file, ready for a YAML encoder.
// Secrets are not among a company's settings; certificates, seals and the logo are told by
// their number and size.
func Show(c company.Company) any {
	return shown{
		CompanyID: string(c.ID), Shortcode: string(c.Shortcode), Name: c.Name, TechnicalContact: c.TechnicalContact,
		Products: c.Products, Realtime: c.Realtime, Archive: c.Archive, CopyTo: c.CopyTo, UserdataForm: c.UserdataForm,
		SecureDownload: c.SecureDownload, Redirects: shownRedirects{c.Redirects.Success, c.Redirects.Failure},
		Webhooks: showWebhooks(c.Webhooks), Mail: showMail(c.Mail), SFTP: shownSFTP{c.SFTP.SSHKeys},
		Results: shownResults{
			Filename: c.Results.Filename, ImageFormat: string(c.Results.ImageFormat), AudioFormat: string(c.Results.AudioFormat),
			XMLSignature: c.Results.XMLSignature, Redact: c.Results.Redact,
		},
		StreetNumberInStreet: c.StreetNumberInStreet, PublicWaitingTime: c.PublicWaitingTime,
		Retention: shownRetention{days(c.Retention.Results), days(c.Retention.Unfinished), days(c.Retention.AbortedFor())},
		Questions: showQuestions(c.Questions), ESign: showESign(c.ESign), Embedding: shownEmbedding{c.Embedding.Origins},
		Languages: c.Languages, Branding: shownBranding{image(c.Branding.Logo), c.Branding.Colour, c.Branding.Host},
	}
}

type shown struct {
	CompanyID            string            `yaml:"companyid"`
	Shortcode            string            `yaml:"shortcode"`
	Name                 string            `yaml:"name"`
	TechnicalContact     string            `yaml:"technical_contact,omitempty"`
	Products             []company.Product `yaml:"products"`
	Realtime             bool              `yaml:"realtime"`
	Archive              bool              `yaml:"archive"`
	CopyTo               []company.ID      `yaml:"copy_to,omitempty"`
	UserdataForm         bool              `yaml:"userdata_form"`
	SecureDownload       bool              `yaml:"secure_download"`
	Redirects            shownRedirects    `yaml:"redirects,omitempty"`
	Webhooks             []shownWebhook    `yaml:"webhooks,omitempty"`
	Mail                 []shownMail       `yaml:"mail,omitempty"`
	SFTP                 shownSFTP         `yaml:"sftp,omitempty"`
	Results              shownResults      `yaml:"results"`
	StreetNumberInStreet bool              `yaml:"street_number_in_street"`
	PublicWaitingTime    bool              `yaml:"public_waiting_time"`
	Retention            shownRetention    `yaml:"retention"`
	Questions            []shownQuestion   `yaml:"questions,omitempty"`
	ESign                shownESign        `yaml:"esign"`
	Embedding            shownEmbedding    `yaml:"embedding,omitempty"`
	Languages            []string          `yaml:"languages"`
	Branding             shownBranding     `yaml:"branding,omitempty"`
}

type shownRedirects struct {
	Success company.Redirect `yaml:"success,omitempty"`
	Failure company.Redirect `yaml:"failure,omitempty"`
}

type shownWebhook struct {
	URL    string          `yaml:"url"`
	Events []company.Event `yaml:"events"`
	Retry  shownRetry      `yaml:"retry"`
}

type shownRetry struct {
	MaxTime   string          `yaml:"max_time"`
	WarnAfter string          `yaml:"warn_after,omitempty"` // empty: no warning
	Success   []company.Codes `yaml:"success,flow"`
	Retry     []company.Codes `yaml:"retry,flow"`
	Permanent []company.Codes `yaml:"permanent,flow"`
}

func showWebhooks(all []company.Webhook) []shownWebhook {
	list := make([]shownWebhook, len(all))
	for i, w := range all {
		p := w.Retry.Filled()
		warn := ""
		if p.WarnAfter > 0 {
			warn = p.WarnAfter.String()
		}
		list[i] = shownWebhook{w.URL, w.Events, shownRetry{p.MaxTime.String(), warn, p.Success, p.Retry, p.Permanent}}
	}
	return list
}

type shownMail struct {
	To           string `yaml:"to"`
	Method       string `yaml:"method"`
	Certificates int    `yaml:"certificates,omitempty"`
}

func showMail(all []company.Mail) []shownMail {
	list := make([]shownMail, len(all))
	for i, m := range all {
		list[i] = shownMail{m.To, string(m.Method), len(m.Certificates)}
	}
	return list
}

type shownSFTP struct {
	SSHKeys []string `yaml:"ssh_keys,omitempty"`
}

type shownResults struct {
	Filename     string   `yaml:"filename"`
	ImageFormat  string   `yaml:"image_format"`
	AudioFormat  string   `yaml:"audio_format"`
	XMLSignature bool     `yaml:"xml_signature"`
	Redact       []string `yaml:"redact,omitempty,flow"`
}

type shownRetention struct {
	Results    string `yaml:"results"`
	Unfinished string `yaml:"unfinished"`
	Aborted    string `yaml:"aborted"`
}

type shownQuestion struct {
	Key      string              `yaml:"key"`
	Type     question.Type       `yaml:"type"`
	Label    string              `yaml:"label"`
	Options  []string            `yaml:"options,omitempty,flow"`
	ReadOnly bool                `yaml:"read_only,omitempty"`
	ShowIf   map[string][]string `yaml:"show_if,omitempty"`
}

func showQuestions(all []question.Definition) []shownQuestion {
	list := make([]shownQuestion, len(all))
	for i, q := range all {
		list[i] = shownQuestion{q.Key, q.Type, q.Label, q.Options, q.ReadOnly, q.ShowIf}
	}
	return list
}

type shownESign struct {
	Handwritten bool              `yaml:"handwritten"`
	Seals       map[string]string `yaml:"seals,omitempty"`
	Datacenter  string            `yaml:"datacenter"`
	IdentCode   bool              `yaml:"ident_code"`
	Level       string            `yaml:"level"`
}

func showESign(e company.ESign) shownESign {
	s := shownESign{Handwritten: e.Handwritten, Datacenter: string(e.Datacenter), IdentCode: e.IdentCode, Level: string(e.SignatureLevel()), Seals: map[string]string{}}
	for name, i := range e.Seals {
		s.Seals[name] = image(i)
	}
	return s
}

type shownEmbedding struct {
	Origins []string `yaml:"origins,omitempty"`
}

type shownBranding struct {
	Logo   string `yaml:"logo,omitempty"`
	Colour string `yaml:"colour,omitempty"`
	Host   string `yaml:"host,omitempty"`
}

func image(i company.Image) string {
	if i.IsZero() {
		return ""
	}
	return string(i.Type) + ", " + strconv.Itoa(len(i.Data)) + " bytes"
}

// days writes a duration the way files do: 90d.
func days(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return d.String()
}
