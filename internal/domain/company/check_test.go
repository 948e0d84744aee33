package company

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/fault"
	"vidimus/internal/domain/question"
)

func paths(t *testing.T, err error) []string {
	t.Helper()
	var got []string
	for _, f := range fault.All(err) {
		if f.Kind != fault.Invalid || !strings.Contains(f.Message, "expected") {
			t.Errorf("%v does not say what is expected", f)
		}
		got = append(got, f.Key)
	}
	return got
}

func ask(key string, names ...string) question.Definition {
	d := question.Definition{Key: key, Type: question.Input, Label: "?", ShowIf: map[string][]string{}}
	for _, n := range names {
		d.ShowIf[n] = []string{"1"}
	}
	return d
}

func TestCheckNamesThePathOfEveryMistake(t *testing.T) {
	list := func(n int) []string { return make([]string, n) }
	for name, c := range map[string]struct {
		spoil func(c *Company)
		want  []string
	}{
		"names":                     {func(c *Company) { c.ID, c.Shortcode, c.Name, c.TechnicalContact = "api", "iba", "a\r\nb", "nobody" }, []string{"companyid", "shortcode", "name", "technical_contact"}},
		"long name":                 {func(c *Company) { c.Name = strings.Repeat("ä", 256) }, []string{"name"}},
		"no UTF-8":                  {func(c *Company) { c.Name = "a\xff" }, []string{"name"}},
		"products":                  {func(c *Company) { c.Products = []Product{"videoident", "video"} }, []string{"products[1]"}},
		"no products and languages": {func(c *Company) { c.Products, c.Languages = nil, nil }, []string{"products", "languages"}},
		"twice":                     {func(c *Company) { c.Languages = []string{"de", "xx", "de"} }, []string{"languages[1]", "languages[2]"}},
		"copy_to":                   {func(c *Company) { c.CopyTo = []ID{"ihrebank", "Other"} }, []string{"copy_to[1]"}},
		"ssh": {func(c *Company) {
			c.SFTP.SSHKeys = []string{key, "ssh-ed25519 AAAA…", "ssh-rsa " + strings.Fields(key)[1], "ssh-ed25519 AAAA", `command="x" ` + key}
		}, []string{"sftp.ssh_keys[1]", "sftp.ssh_keys[2]", "sftp.ssh_keys[3]", "sftp.ssh_keys[4]"}},
		"too many": {func(c *Company) { c.SFTP.SSHKeys, c.Embedding.Origins = list(51), list(51) }, []string{"sftp.ssh_keys", "embedding.origins"}},
		"origins": {func(c *Company) {
			c.Embedding.Origins = []string{"https://a.example/", "*", "a.example", "ftp://a.example", "https://a.example; x", "https://u@a.example", "https://A.example", "https://a.example:0", "null"}
		}, []string{"embedding.origins[0]", "embedding.origins[1]", "embedding.origins[2]", "embedding.origins[3]", "embedding.origins[4]", "embedding.origins[5]", "embedding.origins[6]", "embedding.origins[7]", "embedding.origins[8]"}},
		"results": {func(c *Company) { c.Results = Results{Filename: "{custom6}", Redact: []string{"number", "title"}} },
			[]string{"results.redact[1]", "results.filename", "results.image_format", "results.audio_format"}},
		"file name": {func(c *Company) { c.Results.Filename = "{id" }, []string{"results.filename"}},
		"retention": {func(c *Company) { c.Retention = Retention{0, 30 * 365 * 24 * time.Hour, time.Millisecond} }, []string{"retention.results", "retention.unfinished", "retention.aborted"}},
		"redirects": {func(c *Company) { c.Redirects = Redirects{"https://a.example/<tn>", "javascript:alert(1)"} }, []string{"redirects.success", "redirects.failure"}},
		"redirect host": {func(c *Company) {
			c.Redirects = Redirects{"https://<transactionnumber>.example/", "https://a.example\r\n/"}
		}, []string{"redirects.success", "redirects.failure"}},
		"esign": {func(c *Company) {
			c.ESign = ESign{Seals: map[string]Image{"a b": {TypePNG, pngPicture(1)}, "idnow_seal": {TypePNG, pngPicture(1)}, "jpeg": {TypePNG, jpegPicture()}, "large": {TypePNG, pngPicture(8193)}, "none": {}, "svg": {TypeSVG, []byte(svg)}}}
		}, []string{"esign.datacenter", "esign.seals.a b", "esign.seals.idnow_seal", "esign.seals.jpeg", "esign.seals.large", "esign.seals.none", "esign.seals.svg"}},
		"branding":   {func(c *Company) { c.Branding = Branding{Image{TypeJPEG, jpegPicture()}, "green", "Host:80"} }, []string{"branding.logo", "branding.colour", "branding.host"}},
		"large logo": {func(c *Company) { c.Branding.Logo.Data = append(c.Branding.Logo.Data, strings.Repeat(" ", 256<<10)...) }, []string{"branding.logo"}},
		"link":       {func(c *Company) { c.SecureDownload = false }, []string{"mail[2].method"}},
		"mail": {func(c *Company) {
			c.Mail = []Mail{{To: "a@b@c", Method: "zip"}, {To: "a b@c.example", Method: SMIME}, {To: "a@c.example", Method: AESZip, Certificates: [][]byte{{1}}}, {To: "a@c.example\r\nBcc: x@y.example", Method: Link}, {To: "a@c.example", Method: SMIME, Certificates: [][]byte{{}}}}
		}, []string{"mail[0].to", "mail[0].method", "mail[1].to", "mail[1].certificate", "mail[2].certificate", "mail[3].to", "mail[4].certificate"}},
		"realtime hook": {func(c *Company) { c.Realtime = false }, []string{"webhooks[0].events[0]"}},
		"webhook": {func(c *Company) {
			c.Webhooks = []Webhook{{}, {URL: "https://u:p@a.example", Events: []Event{"FINAL", "final", "FINAL"}}, {URL: "https://a.example/#x", Events: Events}}
		},
			[]string{"webhooks[0].url", "webhooks[0].events", "webhooks[1].url", "webhooks[1].events[1]", "webhooks[1].events[2]", "webhooks[2].url"}},
		"retry times":       {func(c *Company) { c.Webhooks[0].Retry = Policy{MaxTime: 10 * time.Second, WarnAfter: 10 * time.Second} }, []string{"webhooks[0].retry.warn_after"}},
		"retry time alone":  {func(c *Company) { c.Webhooks[0].Retry = Policy{MaxTime: 5 * time.Second} }, nil},
		"the same address":  {func(c *Company) { c.Webhooks = append(c.Webhooks, c.Webhooks[0], c.Webhooks[0]) }, []string{"webhooks[1].url", "webhooks[2].url"}},
		"retry times alone": {func(c *Company) { c.Webhooks[0].Retry = Policy{MaxTime: time.Millisecond, WarnAfter: -1} }, []string{"webhooks[0].retry.max_time", "webhooks[0].retry.warn_after"}},
		"retry codes": {func(c *Company) {
			c.Webhooks[0].Retry = Policy{Success: []Codes{}, Retry: []Codes{"4xx", "6xx", "40x"}, Permanent: []Codes{"4xx", "404", "404", "4XX"}}
		},
			[]string{"webhooks[0].retry.success", "webhooks[0].retry.retry[1]", "webhooks[0].retry.retry[2]", "webhooks[0].retry.permanent[0]", "webhooks[0].retry.permanent[2]", "webhooks[0].retry.permanent[3]"}},
		"questions": {func(c *Company) {
			c.Questions = []question.Definition{{Key: "a", Type: question.Input, Label: "?"}, {Key: "A", Type: "X"}}
		},
			[]string{"questions[1].type", "questions[1].label", "questions[1].key"}},
		"conditions": {func(c *Company) {
			c.Questions = []question.Definition{ask("a", "a"), ask("b", "nobody", "country"), ask("c", "a")}
		},
			[]string{"questions[0].show_if.a", "questions[1].show_if.nobody"}},
		"circle": {func(c *Company) {
			c.Questions = []question.Definition{ask("a", "b"), ask("b", "c"), ask("c", "a"), ask("d", "a")}
		},
			[]string{"questions[0].show_if.b", "questions[1].show_if.c", "questions[2].show_if.a"}},
		"question named like a field": {func(c *Company) { c.Questions = []question.Definition{ask("country", "city"), ask("city", "country")} }, nil},
		"too many questions":          {func(c *Company) { c.Questions = make([]question.Definition, 201) }, []string{"questions"}},
		"too many hooks and mails": {func(c *Company) {
			for len(c.Webhooks) < 21 {
				w := c.Webhooks[0]
				w.URL += "/" + strings.Repeat("x", len(c.Webhooks))
				c.Webhooks = append(c.Webhooks, w)
			}
			for len(c.Mail) < 21 {
				c.Mail = append(c.Mail, c.Mail[0])
			}
		}, []string{"webhooks", "mail"}},
	} {
		company := full()
		c.spoil(&company)
		if diff := cmp.Diff(c.want, paths(t, company.Check())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestSecretsCheckNamesEveryMistakeAndNoSecret(t *testing.T) {
	c := full()
	for name, s := range map[string]struct {
		secrets Secrets
		want    []string
	}{
		"none":       {Secrets{}, []string{"api_keys", "mail[1].password", "webhooks[0].secret"}},
		"misplaced":  {Secrets{[]string{"k"}, []string{"SECRET", "p", "SECRET", "SECRET"}, append(fullSecrets().WebhookSecrets, "SECRET")}, []string{"mail[0].password", "mail[2].password", "mail", "webhooks"}},
		"bad":        {Secrets{[]string{"SECRET ", "SECRÉT", "", "k", "k"}, []string{"", "SECRET\r\n"}, []string{"SECRET"}}, []string{"api_keys[0]", "api_keys[1]", "api_keys[2]", "api_keys[4]", "mail[1].password", "webhooks[0].secret"}},
		"short hook": {Secrets{[]string{"k"}, []string{"", "p"}, []string{"whsec_U0VDUkVU"}}, []string{"webhooks[0].secret"}},
	} {
		err := s.secrets.Check(c)
		if diff := cmp.Diff(s.want, paths(t, err)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if strings.Contains(err.Error(), "SECR") || strings.Contains(err.Error(), "U0VD") {
			t.Errorf("%s: %v tells a secret", name, err)
		}
	}
}

func TestDetectImage(t *testing.T) {
	wrap := func(inside string) []byte {
		return []byte(`<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">` + inside + `</svg>`)
	}
	for name, c := range map[string]struct {
		data []byte
		want ImageType
	}{
		"png": {pngPicture(8192), TypePNG}, "jpeg": {jpegPicture(), TypeJPEG}, "svg": {[]byte(svg), TypeSVG},
		"styled svg": {wrap(`<style>.a{fill:url(#g)}</style><use xlink:href="#a"/><rect style="fill:#fff"/>`), TypeSVG},
	} {
		if got, ok := DetectImage(c.data); !ok || got != c.want {
			t.Errorf("%s: %v, %v", name, got, ok)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "html": []byte("<html></html>"), "cut png": pngPicture(1)[:20], "cut jpeg": jpegPicture()[:20],
		"wide png": pngPicture(8193), "cut svg": []byte(svg[:60]), "two roots": []byte(svg + svg),
		"script": wrap(`<script>1</script>`), "handler": wrap(`<rect onclick="x"/>`), "html inside": wrap(`<foreignObject/>`),
		"link": wrap(`<image xlink:href="https://a.example/x.png"/>`), "script link": wrap(`<a href=" JavaScript:x"/>`),
		"style that loads": wrap(`<style>@import "x"</style>`), "escaped style": wrap(`<style>u\72l(x)</style>`), "fill that loads": wrap(`<rect fill="url(http://x)"/>`),
		"entities": []byte(`<!DOCTYPE svg [<!ENTITY a "b">]>` + svg), "style sheet": []byte(`<?xml-stylesheet href="x"?>` + svg), "deep": wrap(strings.Repeat("<g>", 102) + strings.Repeat("</g>", 102)),
	} {
		if got, ok := DetectImage(data); ok {
			t.Errorf("%s is taken for %v", name, got)
		}
	}
}

func FuzzDetectImage(f *testing.F) {
	f.Add(pngPicture(1))
	f.Add(jpegPicture())
	f.Add([]byte(svg))
	f.Fuzz(func(_ *testing.T, data []byte) { DetectImage(data) }) // it does not panic
}
