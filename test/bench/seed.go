package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/ident"
	"vidimus/internal/domain/person"
	"vidimus/internal/domain/result"
	"vidimus/internal/keys"
	"vidimus/internal/service/dossier"
	"vidimus/internal/service/vault"
)

// maker makes finished identifications as the services leave them, without going through
// them: a million would take hours.
type maker struct {
	keys        *keys.Store
	application []byte
	json        []byte // of a result, with the two below in place of what differs
	began       time.Time
}

// What stands in the patterns of number and Ident-ID; as long as what replaces them.
const (
	anyNumber = "seed-0000000000"
	anyID     = shortcode + "-22222"
)

// newMaker opens the key store below the folder as a server does that has it as --data.
func newMaker(ctx context.Context, data string) (*maker, error) {
	master, err := keys.OpenMaster(data + "/keys/master")
	if err != nil {
		return nil, err
	}
	m := &maker{began: time.Now().UTC().Add(-80 * 24 * time.Hour).Truncate(time.Second)}
	if m.keys, err = keys.Open(ctx, data+"/keys/keys.db", master, keys.WithBatch(4096)); err != nil {
		return nil, err
	}
	sent := person.Application{
		Userdata: map[person.Field]string{
			person.Firstname: "Maria Magdalena", person.Lastname: "Musterfrau", person.Birthday: "1985-04-12", person.Birthplace: "München",
			person.Nationality: "DE", person.Gender: "FEMALE", person.Street: "Beispielallee", person.StreetNumber: "12a", person.Zipcode: "80331",
			person.City: "München", person.Country: "DE",
		},
		Email: "maria.musterfrau@example.org", MobilePhone: "+4915112345678", TrackingID: "campaign-9",
	}
	if m.application, err = json.Marshal(sent); err != nil {
		return nil, err
	}
	in := result.Input{
		Result: ident.Success, AgentName: "ROBOT", IdentificationTime: m.began, Type: ident.Web, TransactionNumber: anyNumber, CompanyID: companyID,
		ID: anyID, Application: sent, Identified: person.Data{Userdata: sent.Userdata, Document: map[person.DocumentField]string{
			person.DocumentType: "IDCARD", person.DocumentCountry: "DE", person.ValidUntil: "2031-01-31", person.DocumentNumber: "T22000129",
			person.IssuedBy: "Stadt München", person.DateIssued: "2021-02-01",
		}},
	}
	for _, key := range []string{"idfrontside", "idbackside", "userface", "identification_log", "pdf", "xml"} {
		in.Attachments = append(in.Attachments, result.Attachment{Key: key, Extension: "jpg"})
	}
	in.FileName = anyNumber
	m.json = result.Build(in).JSON()
	if !bytes.Contains(m.json, []byte(anyNumber)) || !bytes.Contains(m.json, []byte(anyID)) {
		return nil, fmt.Errorf("the pattern of a result lacks what differs: %s", m.json)
	}
	return m, nil
}

// finished is one of them.
type finished struct {
	ident.Identification
	result result.Stored
}

// anyArchive stands for the list of files of each ZIP. Nobody fetches them.
const anyArchive = `{"Archive":{"Members":[{"Name":"seed.pdf","Size":1,"CRC32":1,"SHA256":""}],"Modified":"2026-01-01T00:00:00Z"},"Sources":["json"]}`

// finished makes number n; each later one was created later.
func (m *maker) finished(ctx context.Context, n int) (finished, error) {
	keyID, key, err := m.keys.Draw(ctx)
	if err != nil {
		return finished{}, err
	}
	id, number := scattered(n), fmt.Sprintf("seed-%010d", n)
	plain := bytes.ReplaceAll(m.json, []byte(anyNumber), []byte(number))
	plain = bytes.ReplaceAll(plain, []byte(anyID), []byte(id))
	sum := sha256.Sum256(plain)
	created := m.began.Add(time.Duration(n) * time.Millisecond)
	done := created.Add(10 * time.Minute)
	return finished{
		Identification: ident.Identification{
			ID: id, Company: companyID, Number: ident.TransactionNumber(number), State: ident.Success, Revision: 5, CompanyRevision: 1,
			KeyID: string(keyID), Sealed: key.Seal(m.application, vault.About(dossier.Application, id)), Attempts: 1, Result: ident.Success,
			Agent: "ROBOT", Channel: ident.Web, FileKey: fmt.Sprintf("%x", sha256.Sum256([]byte(number))), ResultSeq: 1, NextDelivery: 1,
			CreatedAt: created, ChangedAt: done, FinishedAt: done, KeptFrom: done,
		},
		result: result.Stored{
			Identification: id, Seq: 1, Event: company.Final, JSON: key.Seal(plain, vault.About("result json/1", id)),
			XML: m.json, Signature: []byte{}, Hash: sum[:], Archive: anyArchive, CreatedAt: done,
		},
	}, nil
}

// scattered returns the n-th of many different Ident-IDs, which follow no order.
func scattered(n int) ident.ID {
	const odd = 0x19e3779 // so that each number below 32^5 comes once
	p := uint32(n) * odd  //nolint:gosec // wraps on purpose
	var b [5]byte
	for i := range b {
		b[i] = byte(p >> (5 * i) & 31)
	}
	return ident.NewID(shortcode, b)
}
