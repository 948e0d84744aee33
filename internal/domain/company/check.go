package company

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/iso"
)

// Bounds of a company's settings.
const (
	maxName      = 255
	maxAPIKeys   = 20
	maxCopyTo    = 200
	maxWebhooks  = 20
	maxMail      = 20
	maxSSHKeys   = 50
	maxQuestions = 200
	maxSeals     = 20
	maxOrigins   = 50
	maxDuration  = 20 * 365 * 24 * time.Hour
	maxMaxTime   = 30 * 24 * time.Hour
	maxSeal      = 1 << 20
	maxLogo      = 256 << 10
	maxCerts     = 10
	maxCert      = 64 << 10

	maxZIPPassword = 99 // what 7-Zip and WinZip take
)

// mistakes collects what is wrong, in the order in which it is found.
type mistakes struct{ list fault.List }

func (m *mistakes) add(path, format string, args ...any) {
	m.list = append(m.list, fault.New(fault.Invalid, format, args...).In(path))
}

// check adds a mistake unless ok.
func (m *mistakes) check(ok bool, path, format string, args ...any) {
	if !ok {
		m.add(path, format, args...)
	}
}

// Check returns every mistake of the settings as a fault.List: the key is the path in the
// company's file, such as webhooks[0].retry.max_time, the message what is expected there.
// Whether the companies in CopyTo exist is not its business, nor whether addresses are
// HTTPS, which only a live installation demands.
func (c Company) Check() error {
	m := new(mistakes)
	c.checkNames(m)
	c.checkLists(m)
	m.check(len(c.Webhooks) <= maxWebhooks, "webhooks", "at most %d webhooks are expected", maxWebhooks)
	urls := map[string]bool{}
	for i, w := range c.Webhooks[:min(maxWebhooks, len(c.Webhooks))] {
		path := fmt.Sprintf("webhooks[%d]", i)
		w.check(m, path, c.Realtime)
		m.check(w.URL == "" || !urls[w.URL], path+".url", "an address that no other webhook has is expected")
		urls[w.URL] = true
	}
	m.check(len(c.Mail) <= maxMail, "mail", "at most %d entries are expected", maxMail)
	for i, mail := range c.Mail[:min(maxMail, len(c.Mail))] {
		mail.check(m, fmt.Sprintf("mail[%d]", i), c.SecureDownload)
	}
	c.Results.check(m)
	m.check(second(c.Retention.Results, maxDuration), "retention.results", "a duration from 1s to 7300d is expected")
	m.check(second(c.Retention.Unfinished, maxDuration), "retention.unfinished", "a duration from 1s to 7300d is expected")
	m.check(second(c.Retention.AbortedFor(), maxDuration), "retention.aborted", "a duration from 1s to 7300d is expected")
	c.checkQuestions(m)
	c.ESign.check(m)
	c.checkPages(m)
	return m.list.Err()
}

// second says whether d is at least one second and at most limit.
func second(d, limit time.Duration) bool { return d >= time.Second && d <= limit }

func (c Company) checkNames(m *mistakes) {
	for _, parse := range []func() error{
		func() error { _, err := ParseID(string(c.ID)); return err },
		func() error { _, err := ParseShortcode(string(c.Shortcode)); return err },
	} {
		m.list = append(m.list, fault.All(parse())...)
	}
	m.check(line(c.Name, maxName), "name", "one line of 1 to 255 characters is expected")
	m.check(c.TechnicalContact == "" || address(c.TechnicalContact), "technical_contact", "an e-mail address is expected")
}

// checkLists looks at the lists of plain words.
func (c Company) checkLists(m *mistakes) {
	m.check(len(c.Products) > 0, "products", "at least one of videoident, autoident, esign is expected")
	each(m, "products", c.Products, 3, "one of videoident, autoident, esign", func(p Product) bool {
		return p == VideoIdent || p == AutoIdent || p == ESigning
	})
	each(m, "copy_to", c.CopyTo, maxCopyTo, "a companyid", func(id ID) bool { _, err := ParseID(string(id)); return err == nil })
	each(m, "sftp.ssh_keys", c.SFTP.SSHKeys, maxSSHKeys, "a public key as in authorized_keys, without options,", sshKey)
	each(m, "results.redact", c.Results.Redact, len(DocumentFields), "one of "+strings.Join(DocumentFields, ", "), func(f string) bool {
		return slices.Contains(DocumentFields, f)
	})
	each(m, "embedding.origins", c.Embedding.Origins, maxOrigins, "an origin such as https://www.example.com", origin)
	m.check(len(c.Languages) > 0, "languages", "at least one ISO 639-1 code, such as de, is expected")
	each(m, "languages", c.Languages, len(iso.Languages()), "an ISO 639-1 code, such as de,", iso.Language)
}

// each checks a list of at most limit entries, none of them twice.
func each[T comparable](m *mistakes, path string, list []T, limit int, expected string, ok func(T) bool) {
	if len(list) > limit {
		m.add(path, "at most %d entries are expected", limit)
		return
	}
	seen := make(map[T]bool, len(list))
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !ok(v) {
			m.add(at, "%s is expected", expected)
		} else if seen[v] {
			m.add(at, "an entry that does not stand in the list already is expected")
		}
		seen[v] = true
	}
}

func (w Webhook) check(m *mistakes, path string, realtime bool) {
	m.check(httpURL(w.URL) && !strings.Contains(w.URL, "#"), path+".url", "an http or https address without user, password and fragment is expected")
	m.check(len(w.Events) > 0, path+".events", "at least one of REALTIME, FINAL, ABORTED, CANCELED is expected")
	each(m, path+".events", w.Events, len(Events), "one of REALTIME, FINAL, ABORTED, CANCELED", func(e Event) bool { return slices.Contains(Events, e) })
	if i := slices.Index(w.Events, Realtime); i >= 0 && !realtime {
		m.add(fmt.Sprintf("%s.events[%d]", path, i), "REALTIME is expected only with realtime: true")
	}
	w.Retry.check(m, path+".retry")
}

func (p Policy) check(m *mistakes, path string) {
	p = p.Filled()
	m.check(second(p.MaxTime, maxMaxTime), path+".max_time", "a duration from 1s to 30d is expected")
	m.check(p.WarnAfter == 0 || p.WarnAfter >= time.Second && p.WarnAfter < p.MaxTime, path+".warn_after", "a duration from 1s that is shorter than max_time is expected")
	m.check(len(p.Success) > 0, path+".success", "at least one status code, such as 2xx, is expected")
	seen := map[Codes]bool{}
	for _, l := range []struct {
		name  string
		codes []Codes
	}{{"success", p.Success}, {"retry", p.Retry}, {"permanent", p.Permanent}} {
		m.check(len(l.codes) <= 100, path+"."+l.name, "at most 100 entries are expected")
		for i, c := range l.codes[:min(100, len(l.codes))] {
			at := fmt.Sprintf("%s.%s[%d]", path, l.name, i)
			if !codesPattern.MatchString(string(c)) {
				m.add(at, "a status code such as 404, or a class such as 4xx, is expected")
			} else if seen[c] {
				m.add(at, "a status code or class that stands in no other place of success, retry and permanent is expected")
			}
			seen[c] = true
		}
	}
}

func (mail Mail) check(m *mistakes, path string, secureDownload bool) {
	m.check(address(mail.To), path+".to", "an e-mail address is expected")
	switch mail.Method {
	case AESZip:
	case SMIME:
		m.check(len(mail.Certificates) > 0, path+".certificate", "an X.509 certificate is expected")
	case Link:
		m.check(secureDownload, path+".method", "link is expected only with secure_download: true, which opens the form that it leads to")
	default:
		m.add(path+".method", "one of aes_zip, smime, link is expected")
	}
	if mail.Method != SMIME && len(mail.Certificates) > 0 {
		m.add(path+".certificate", "a certificate is expected only with method: smime")
	}
	bad := len(mail.Certificates) > maxCerts || slices.ContainsFunc(mail.Certificates, func(c []byte) bool { return len(c) == 0 || len(c) > maxCert })
	m.check(!bad, path+".certificate", "at most 10 certificates of at most 64 KiB are expected")
}

func (r Results) check(m *mistakes) {
	rest := placeholder.ReplaceAllString(r.Filename, "")
	m.check(r.Filename == "" || line(r.Filename, maxFileName) && !strings.ContainsAny(rest, "{}"), "results.filename",
		"one line of at most 200 characters with the placeholders {%s} is expected", strings.Join(Placeholders, "} {"))
	m.check(r.ImageFormat == JPEG || r.ImageFormat == PNG, "results.image_format", "jpeg or png is expected")
	m.check(r.AudioFormat == MP3 || r.AudioFormat == WAV, "results.audio_format", "mp3 or wav is expected")
}

func (e ESign) check(m *mistakes) {
	m.check(e.Datacenter == DE || e.Datacenter == CH, "esign.datacenter", "DE or CH is expected")
	m.check(e.Level == "" || slices.Contains(Levels, e.Level), "esign.level", "one of B-B, B-T, B-LT, B-LTA is expected")
	m.check(len(e.Seals) <= maxSeals, "esign.seals", "at most %d seals are expected", maxSeals)
	for _, name := range sortedKeys(e.Seals) {
		at := "esign.seals." + name
		m.check(sealName.MatchString(name) && name != "idnow_seal", at, "a name of 1 to 64 characters of a-z, A-Z, 0-9, _ and - that is not that of the built-in seal is expected")
		kind, ok := DetectImage(e.Seals[name].Data)
		m.check(ok && kind == e.Seals[name].Type && kind != TypeSVG && len(e.Seals[name].Data) <= maxSeal, at, "a PNG or JPEG picture of at most 1 MiB and %d pixels a side is expected", maxSide)
	}
}

// checkPages looks at what the user's browser gets to see.
func (c Company) checkPages(m *mistakes) {
	for _, r := range []struct {
		path     string
		redirect Redirect
	}{{"redirects.success", c.Redirects.Success}, {"redirects.failure", c.Redirects.Failure}} {
		m.check(r.redirect == "" || r.redirect.right(), r.path, "an http or https address, in which <transactionnumber> stands for the number, is expected")
	}
	b := c.Branding
	if !b.Logo.IsZero() {
		kind, ok := DetectImage(b.Logo.Data)
		m.check(ok && kind == b.Logo.Type && kind != TypeJPEG && len(b.Logo.Data) <= maxLogo, "branding.logo", "an SVG or PNG picture of at most 256 KiB, without scripts and without references to other files, is expected")
	}
	m.check(b.Colour == "" || colour.MatchString(b.Colour), "branding.colour", `a colour such as "#0a5" or "#00aa55", in quotes, is expected`)
	m.check(b.Host == "" || hostName(b.Host), "branding.host", "a host name in lower case, without port, is expected")
}

// Check returns every mistake of the secrets, and every one that is missing or that c has no
// use for, in the same form as Company.Check. No message holds a secret.
func (s Secrets) Check(c Company) error {
	m := new(mistakes)
	m.check(len(s.APIKeys) > 0, "api_keys", "at least one key is expected")
	each(m, "api_keys", s.APIKeys, maxAPIKeys, "a key of 1 to 255 printable ASCII characters without spaces", apiKey)
	at := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	for i, mail := range c.Mail {
		password, path := at(s.MailPasswords, i), fmt.Sprintf("mail[%d].password", i)
		if mail.Method == AESZip {
			m.check(password != "" && len(password) <= maxZIPPassword && !strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }), path,
				"1 to %d printable ASCII characters are expected: aes_zip needs it, and programs do not agree on others", maxZIPPassword)
		} else {
			m.check(password == "", path, "a password is expected only with method: aes_zip")
		}
	}
	m.check(len(s.MailPasswords) <= len(c.Mail), "mail", "no more passwords than mails are expected")
	for i, w := range c.Webhooks {
		secret, path := at(s.WebhookSecrets, i), fmt.Sprintf("webhooks[%d].secret", i)
		m.check(w.SecretConfigured == (secret != ""), path, "a secret is expected exactly where the settings say so")
		m.check(secret == "" || webhookSecret(secret), path, "whsec_ and the base64 of 24 to 64 bytes is expected")
	}
	m.check(len(s.WebhookSecrets) <= len(c.Webhooks), "webhooks", "no more secrets than webhooks are expected")
	return m.list.Err()
}

func webhookSecret(s string) bool {
	encoded, ok := strings.CutPrefix(s, "whsec_")
	if !ok || len(encoded) > 128 || strings.ContainsAny(encoded, "\r\n") {
		return false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	return err == nil && len(key) >= 24 && len(key) <= 64
}
