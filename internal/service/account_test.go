package service_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/fault"
)

func TestAppliedSettingsAreKnownAndEarlierOnesRemembered(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.apply(bank, func(c *company.Company) { c.Name = "first" })
		first := b.account(bank).Revision
		b.apply(bank, func(c *company.Company) { c.Name = "second" })
		if a := b.account(bank); a.Revision != first+1 || a.Name != "second" {
			t.Errorf("revision %d is %s", a.Revision, a.Name)
		}
		for revision, want := range map[int64]string{first: "first", first + 1: "second"} {
			if c, err := b.accounts.At(b.Context(), bank, revision); err != nil || c.Name != want {
				t.Errorf("revision %d is %s, %v", revision, c.Name, err)
			}
		}
		_, err := b.accounts.At(b.Context(), bank, first+2)
		b.wantFault(err, fault.NotFound, "a revision that never was")
		want := []string{"operator company.applied revision 1", "operator company.applied revision 2", "operator company.applied revision 3"}
		if diff := cmp.Diff(want, b.acts("company:ihrebank")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestIdentificationKeepsTheQuestionsItBeganWith(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := b.start("1")
		b.apply(bank, func(c *company.Company) { c.Questions = nil })
		b.identified(c, "")
		if json := b.json(c); !strings.Contains(json, `"source":{"value":"salary"}`) {
			t.Errorf("the answer is not in %s", json)
		}
	})
}

func TestRevisionsGoOnAfterADeletion(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		before := b.account(bank).Revision
		b.ok(b.accounts.Delete(b.Context(), bank))
		if _, there := b.accounts.Get(bank); there {
			t.Error("the deleted company is still known")
		}
		b.apply(bank, nil)
		if got := b.account(bank).Revision; got <= before {
			t.Errorf("revision %d comes after %d", got, before)
		}
	})
}

func TestAnotherProcessNoticesAChange(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		second := *b
		second.wire()
		if _, there := second.accounts.Get(bank); there {
			t.Error("known before it was read")
		}
		b.ok(second.accounts.Refresh(b.Context()))
		if got := len(second.accounts.All()); got != 2 {
			t.Errorf("%d companies", got)
		}
		b.apply(bank, func(c *company.Company) { c.Name = "changed" })
		b.ok(second.accounts.Refresh(b.Context()))
		if got := second.account(bank).Name; got != "changed" {
			t.Errorf("the other process still has %s", got)
		}
	})
}

func TestSecretsAreSealed(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := company.New("thirdbank", "THB", "Third")
		c.Mail = []company.Mail{{To: "results@thirdbank.example", Method: company.AESZip}}
		c.Webhooks = []company.Webhook{{URL: "https://x.example/hook", Events: company.Events, SecretConfigured: true}}
		secrets := company.Secrets{APIKeys: []string{"key-number-one", "key-number-two"}, MailPasswords: []string{"mail-password"}, WebhookSecrets: []string{"whsec_of-the-file"}}
		b.ok(b.accounts.Apply(b.Context(), c, secrets))
		if diff := cmp.Diff(secrets.WebhookSecrets, b.account("thirdbank").Secrets.WebhookSecrets); diff != "" {
			t.Error(diff)
		}
		for name, content := range b.everything() {
			for _, secret := range []string{"key-number-one", "key-number-two", "mail-password", "whsec_of-the-file"} {
				if bytes.Contains(content, []byte(secret)) {
					t.Errorf("%s stands in %s", secret, name)
				}
			}
		}
		for _, key := range secrets.APIKeys {
			if _, err := b.login.Key("thirdbank", key); err != nil {
				t.Errorf("a key of the list: %v", err)
			}
		}
	})
}

func TestWebhookKeepsItsSecret(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		secrets := func(urls ...string) map[string]string {
			b.apply(bank, func(c *company.Company) {
				for _, url := range urls {
					c.Webhooks = append(c.Webhooks, company.Webhook{URL: url, Events: company.Events})
				}
			})
			a, all := b.account(bank), map[string]string{}
			for n, w := range a.Webhooks {
				all[w.URL] = a.Secrets.WebhookSecrets[n]
			}
			return all
		}
		first := secrets("https://a.example", "https://b.example")
		if first["https://a.example"] == "" || first["https://a.example"] == first["https://b.example"] {
			t.Errorf("%v", first)
		}
		later := secrets("https://c.example", "https://b.example", "https://a.example")
		for url, secret := range first {
			if later[url] != secret {
				t.Errorf("%s had %s and has %s", url, secret, later[url])
			}
		}
		if later["https://c.example"] == "" {
			t.Error("the new one has none")
		}
	})
}

func TestTheSecretOfAWebhookIsToldAndTheTrailSaysSo(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		b.subscribe(company.Policy{}, company.Final)
		secret, err := b.accounts.WebhookSecret(b.Context(), bank, hookURL)
		b.ok(err)
		a := b.account(bank)
		if secret == "" || secret != a.Secrets.WebhookSecrets[0] {
			t.Errorf("%q is not the one that signs", secret)
		}
		acts := b.acts("company:ihrebank")
		if want := fmt.Sprintf("operator webhook.secret_read webhooks[0] of revision %d", a.Revision); acts[len(acts)-1] != want {
			t.Errorf("the trail tells %v, expected %s at its end", acts, want)
		}
		for c, url := range map[company.ID]string{bank: hookURL + "/other", other: hookURL, "nobody": hookURL} {
			_, err := b.accounts.WebhookSecret(b.Context(), c, url)
			b.wantFault(err, fault.NotFound, url)
		}
		if now := b.acts("company:ihrebank"); len(now) != len(acts) {
			t.Errorf("the trail tells %v", now)
		}
	})
}

func TestShortcodeOfAnotherCompanyIsRefused(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		c := company.New("thirdbank", b.account(bank).Shortcode, "Third")
		err := b.accounts.Apply(b.Context(), c, company.Secrets{APIKeys: []string{"k"}})
		b.wantFault(err, fault.Invalid, "the shortcode")
		if err != nil && fault.All(err)[0].Key != "shortcode" {
			t.Errorf("the key is %s", fault.All(err)[0].Key)
		}
		if _, there := b.accounts.Get("thirdbank"); there {
			t.Error("the company was created all the same")
		}
	})
}

func TestUnknownCompanyAndWrongKeyAreTheSame(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		var answers []string
		for _, c := range []struct {
			company company.ID
			key     string
		}{{"nobody", apiKey + "ihrebank"}, {bank, "wrong"}, {bank, ""}, {bank, apiKey + "testbank"}, {"nobody", ""}} {
			_, err := b.login.Key(c.company, c.key)
			b.wantFault(err, fault.BadCredentials, "key")
			token, lerr := b.login.Login(b.Context(), c.company, c.key)
			b.wantFault(lerr, fault.BadCredentials, "log-in")
			answers = append(answers, fmt.Sprint(err, lerr, token))
		}
		for _, a := range answers {
			if a != answers[0] {
				t.Errorf("%s is not %s", a, answers[0])
			}
		}
	})
}

func (b *bench) token(id company.ID) string {
	b.Helper()
	token, err := b.login.Login(b.Context(), id, apiKey+string(id))
	b.ok(err)
	return token
}

func TestTokenEndsAnHourAfterItsLastUse(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		token := b.token(bank)
		use := func() error {
			_, err := b.login.Token(b.Context(), bank, token)
			return err
		}
		for range 5 {
			time.Sleep(time.Hour - time.Microsecond)
			b.ok(use())
		}
		time.Sleep(30 * time.Second) // too short a while to be stored, yet it counts here
		b.ok(use())
		time.Sleep(time.Hour - time.Second)
		b.ok(use())
		time.Sleep(time.Hour)
		b.wantFault(use(), fault.BadCredentials, "after an hour")
	})
}

func TestUnusedTokenEnds(t *testing.T) {
	inBubble(t, 60, func(b *bench) {
		token := b.token(bank)
		time.Sleep(time.Minute)
		_, err := b.login.Token(b.Context(), bank, token)
		b.wantFault(err, fault.BadCredentials, "after an hour of the specification")
	})
}

func TestTokenSurvivesARestartAndASweep(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		token := b.token(bank)
		time.Sleep(50 * time.Minute)
		_, err := b.login.Token(b.Context(), bank, token)
		b.ok(err)
		again := *b
		again.wire()
		b.ok(again.accounts.Refresh(b.Context()))
		time.Sleep(58 * time.Minute)
		b.ok(again.login.Sweep(b.Context()))
		if _, err := again.login.Token(b.Context(), bank, token); err != nil {
			t.Errorf("after a restart: %v", err)
		}
		time.Sleep(3 * time.Hour)
		b.ok(again.login.Sweep(b.Context()))
		_, err = again.login.Token(b.Context(), bank, token)
		b.wantFault(err, fault.BadCredentials, "in the end")
	})
}

func TestTokenOpensItsCompanyOnly(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		token := b.token(bank)
		if a, err := b.login.Token(b.Context(), bank, token); err != nil || a.ID != bank {
			t.Errorf("its own: %v", err)
		}
		_, err := b.login.Token(b.Context(), other, token)
		b.wantFault(err, fault.Foreign, "another company's path")
		for path, token := range map[company.ID]string{"nobody": token, bank: "11111111-2222-4333-8444-555555555555", other: ""} {
			_, err := b.login.Token(b.Context(), path, token)
			b.wantFault(err, fault.BadCredentials, string(path))
		}
		if token == b.token(bank) {
			t.Error("two log-ins give one token")
		}
		b.ok(b.accounts.Delete(b.Context(), bank))
		for _, path := range []company.ID{bank, other} {
			_, err := b.login.Token(b.Context(), path, token)
			b.wantFault(err, fault.BadCredentials, "of a deleted company on the path of "+string(path))
		}
	})
}

func TestTokensAreStoredHashed(t *testing.T) {
	inBubble(t, 1, func(b *bench) {
		token := b.token(bank)
		for name, content := range b.everything() {
			if bytes.Contains(content, []byte(token)) {
				t.Errorf("the token stands in %s", name)
			}
		}
	})
}
