package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"vidimus/internal/config"
	"vidimus/internal/domain/company"
	"vidimus/internal/domain/question"
)

// makeDemo creates the demo companies that are missing. One that is there stays as
// somebody may have changed it.
func makeDemo(ctx context.Context, p *platform) error {
	for _, d := range demoCompanies() {
		if _, there := p.accounts.Get(d.company.ID); there {
			continue
		}
		if err := p.accounts.Apply(ctx, d.company, company.Secrets{APIKeys: d.keys}); err != nil {
			return fmt.Errorf("creating the demo company %s: %w", d.company.ID, err)
		}
	}
	return nil
}

type demo struct {
	company company.Company
	keys    []string
}

func demoCompanies() []demo {
	bank := company.New("ihrebank", "IBA", "IhreBank AG")
	bank.TechnicalContact = "tech@ihrebank.example"
	bank.Products = []company.Product{company.VideoIdent, company.AutoIdent, company.ESigning}
	bank.Realtime, bank.Archive, bank.UserdataForm, bank.SecureDownload, bank.PublicWaitingTime = true, true, true, true, true
	bank.CopyTo = []company.ID{"testbank"}
	bank.Results.XMLSignature = true
	bank.ESign.Handwritten = true
	bank.Retention = company.Retention{Results: 90 * 24 * time.Hour, Unfinished: 90 * 24 * time.Hour}
	bank.Questions = []question.Definition{
		{Key: "question_key_str", Type: question.Input, Label: "Source of funds"},
		{Key: "question_key_int", Type: question.RadioBoolean, Label: "Are you a US citizen?"},
		{Key: "question_key_date", Type: question.Date, Label: "Resident since"},
	}
	test := company.New("testbank", "TSB", "TestBank AG")
	return []demo{
		{bank, []string{"exampleApiKey", "BXCexampleexampleexampleexampleRP"}},
		{test, []string{"testbankApiKey"}},
	}
}

// printDemo says where to look first.
func printDemo(c config.Config, addr, sftp string) {
	base := c.Base()
	if c.PublicURL == "" {
		base = "http://" + addr
	}
	host, port, err := net.SplitHostPort(sftp)
	if err != nil {
		host, port = sftp, "22"
	}
	fmt.Printf(`
Vidimus is ready. Open:
  %[1]s/docs          the API, readable
  %[1]s/openapi.yaml  the API, for machines
  %[1]s/system_check  SYSTEM_CHECK_OK

Try, in another terminal:
  curl -i -H "X-API-KEY: exampleApiKey" -H "Content-Type: application/json" -d '{"firstname": "X-AUTOTEST-HAPPYPATH", "lastname": "Berger"}' %[1]s/api/v1/ihrebank/identifications/1234567890/start
  sftp -P %[3]s ihrebank@%[2]s          results as files; the password is the API key

`, base, host, port)
}
