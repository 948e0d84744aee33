package companyfile

import (
	"strings"
	"time"

	"vidimus/internal/config/document"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/question"
)

// fields are the keys of a company's file.
func (r *reader) fields() map[string]func(document.Value) {
	c := &r.company
	return map[string]func(document.Value){
		"companyid":               text(&c.ID),
		"shortcode":               text(&c.Shortcode),
		"name":                    text(&c.Name),
		"technical_contact":       text(&c.TechnicalContact),
		"api_keys":                texts(&r.secrets.APIKeys),
		"products":                texts(&c.Products),
		"realtime":                flag(&c.Realtime),
		"archive":                 flag(&c.Archive),
		"copy_to":                 texts(&c.CopyTo),
		"userdata_form":           flag(&c.UserdataForm),
		"secure_download":         flag(&c.SecureDownload),
		"redirects":               fields(map[string]func(document.Value){"success": text(&c.Redirects.Success), "failure": text(&c.Redirects.Failure)}),
		"webhooks":                each(r.webhook),
		"mail":                    each(r.mail),
		"sftp":                    fields(map[string]func(document.Value){"ssh_keys": r.sshKeys}),
		"results":                 r.results,
		"street_number_in_street": flag(&c.StreetNumberInStreet),
		"public_waiting_time":     flag(&c.PublicWaitingTime),
		"retention":               fields(map[string]func(document.Value){"results": duration(&c.Retention.Results), "unfinished": duration(&c.Retention.Unfinished), "aborted": duration(&c.Retention.Aborted)}),
		"questions":               each(r.question),
		"esign":                   r.esign,
		"embedding":               fields(map[string]func(document.Value){"origins": texts(&c.Embedding.Origins)}),
		"languages":               texts(&c.Languages),
		"branding":                r.branding,
	}
}

func (r *reader) webhook(_ int, v document.Value) {
	w, secret := company.Webhook{}, ""
	p := &w.Retry
	v.Fields(map[string]func(document.Value){
		"url":    text(&w.URL),
		"events": texts(&w.Events),
		"secret": required(&secret),
		"retry": fields(map[string]func(document.Value){
			"max_time":   duration(&p.MaxTime),
			"warn_after": duration(&p.WarnAfter),
			"success":    codes(&p.Success),
			"retry":      codes(&p.Retry),
			"permanent":  codes(&p.Permanent),
		}),
	})
	w.Retry = w.Retry.Filled()
	w.SecretConfigured = secret != ""
	r.company.Webhooks = append(r.company.Webhooks, w)
	r.secrets.WebhookSecrets = append(r.secrets.WebhookSecrets, secret)
}

func (r *reader) mail(_ int, v document.Value) {
	m, password := company.Mail{}, ""
	v.Fields(map[string]func(document.Value){
		"to":          text(&m.To),
		"method":      text(&m.Method),
		"password":    required(&password),
		"certificate": func(v document.Value) { m.Certificates = r.certificates(v) },
	})
	r.company.Mail = append(r.company.Mail, m)
	r.secrets.MailPasswords = append(r.secrets.MailPasswords, password)
}

func (r *reader) results(v document.Value) {
	s := &r.company.Results
	v.Fields(map[string]func(document.Value){
		"filename":      text(&s.Filename),
		"image_format":  text(&s.ImageFormat),
		"audio_format":  text(&s.AudioFormat),
		"xml_signature": flag(&s.XMLSignature),
		"redact":        texts(&s.Redact),
	})
}

func (r *reader) question(_ int, v document.Value) {
	var q question.Definition
	v.Fields(map[string]func(document.Value){
		"key":       text(&q.Key),
		"type":      text(&q.Type),
		"label":     text(&q.Label),
		"options":   texts(&q.Options),
		"read_only": flag(&q.ReadOnly),
		"show_if": func(v document.Value) {
			q.ShowIf = map[string][]string{}
			v.Entries(func(name string, v document.Value) {
				var values []string
				texts(&values)(v)
				q.ShowIf[name] = values
			})
		},
	})
	r.company.Questions = append(r.company.Questions, q)
}

func (r *reader) esign(v document.Value) {
	e := &r.company.ESign
	v.Fields(map[string]func(document.Value){
		"handwritten": flag(&e.Handwritten),
		"datacenter":  text(&e.Datacenter),
		"ident_code":  flag(&e.IdentCode),
		"level":       text(&e.Level),
		"seals": func(v document.Value) {
			e.Seals = map[string]company.Image{}
			v.Entries(func(name string, v document.Value) { e.Seals[name] = r.image(v, "a PNG or JPEG file", 1<<20) })
		},
	})
}

func (r *reader) branding(v document.Value) {
	b := &r.company.Branding
	v.Fields(map[string]func(document.Value){
		"logo":   func(v document.Value) { b.Logo = r.image(v, "an SVG or PNG file", 256<<10) },
		"colour": text(&b.Colour),
		"host":   text(&b.Host),
	})
}

// The functions below make one of what a key holds.

func fields(known map[string]func(document.Value)) func(document.Value) {
	return func(v document.Value) { v.Fields(known) }
}

func each(f func(int, document.Value)) func(document.Value) {
	return func(v document.Value) { v.Each(f) }
}

func text[S ~string](dst *S) func(document.Value) {
	return func(v document.Value) {
		if s, ok := v.Text(); ok {
			*dst = S(s)
		}
	}
}

// required reads text that must not be empty where its key stands.
func required(dst *string) func(document.Value) {
	return func(v document.Value) {
		if s, ok := v.Text(); ok && s == "" {
			v.Expect("text is expected; leave the key away where there is none")
		} else {
			*dst = s
		}
	}
}

func flag(dst *bool) func(document.Value) {
	return func(v document.Value) {
		if b, ok := v.Bool(); ok {
			*dst = b
		}
	}
}

func duration(dst *time.Duration) func(document.Value) {
	return func(v document.Value) {
		d, ok := v.Duration()
		if ok && d < time.Second { // zero would pass for "not given" where zero means the default
			v.Expect("a duration of at least 1s is expected")
		} else if ok {
			*dst = d
		}
	}
}

// texts reads a list of texts. What is none leaves an empty one, so that the others keep
// their index.
func texts[S ~string](dst *[]S) func(document.Value) {
	return func(v document.Value) {
		*dst = []S{}
		v.Each(func(_ int, v document.Value) {
			s, _ := v.Text()
			*dst = append(*dst, S(s))
		})
	}
}

// codes reads a list of status codes, in any letter case: 4XX is 4xx.
func codes(dst *[]company.Codes) func(document.Value) {
	return func(v document.Value) {
		texts(dst)(v)
		for i, c := range *dst {
			(*dst)[i] = company.Codes(strings.ToLower(string(c)))
		}
	}
}
