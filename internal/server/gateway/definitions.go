package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"

	"vidimus/internal/domain/esign"
	"vidimus/internal/server/web"
	"vidimus/internal/service/account"
)

// definitionAnswer is a document definition as 7.1 prints it: what was not said is left out.
type definitionAnswer struct {
	Optional   bool             `json:"optional"`
	Name       string           `json:"name"`
	Identifier esign.Identifier `json:"identifier"`
	MIMEType   string           `json:"mimeType"`
	SortOrder  int64            `json:"sortOrder"`
	Version    string           `json:"version,omitempty"`
	ViewPolicy esign.ViewPolicy `json:"viewPolicy,omitempty"`
	Signatures signatureAnswers `json:"signatures,omitempty"`
}

func answerDefinition(d esign.Definition) definitionAnswer {
	return definitionAnswer{
		Optional: d.Optional, Name: d.Name, Identifier: d.Identifier, MIMEType: d.MIMEType, SortOrder: d.SortOrder,
		Version: d.Version, ViewPolicy: d.ViewPolicy, Signatures: d.Signatures,
	}
}

// signatureAnswers is an object of the signatures by name, in their order.
type signatureAnswers []esign.Signature

// signatureAnswer is one signature as 7.1.2 prints it, defaults included.
type signatureAnswer struct {
	Position positionAnswer      `json:"position"`
	Type     esign.SignatureType `json:"type"`
	Size     float64             `json:"signatureFontSize,omitempty"`
	Size2    float64             `json:"signatureFontSize2,omitempty"`
	Image    string              `json:"signatureImage,omitempty"`
	Optional bool                `json:"optional"`
}

type positionAnswer struct {
	AcroField string  `json:"acrofield,omitempty"`
	Page      int64   `json:"page,omitempty"`
	Text      string  `json:"textcontent,omitempty"`
	Left      float64 `json:"left"`
	Width     float64 `json:"width"`
	Bottom    float64 `json:"bottom"`
	Height    float64 `json:"height"`
}

// MarshalJSON writes the object.
func (s signatureAnswers) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	before := byte('{')
	for _, one := range s {
		p := one.Position
		answer := signatureAnswer{
			Position: positionAnswer{AcroField: p.AcroField, Page: p.Page, Text: p.TextContent, Left: p.Left, Width: p.Width, Bottom: p.Bottom, Height: p.Height},
			Type:     one.Type, Optional: one.Optional,
		}
		if one.Type == esign.Electronic { // the others mean nothing else
			answer.Size, answer.Size2, answer.Image = one.FontSize, one.FontSize2, one.Image
		}
		name, err := json.Marshal(one.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(answer)
		if err != nil {
			return nil, err
		}
		b.WriteByte(before)
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
		before = ','
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// definitions lists the document definitions (7.1.6).
func (g *Gateway) definitions(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	all, err := g.Signing.Definitions(r.Context(), a)
	if err != nil {
		return err
	}
	list := make([]definitionAnswer, len(all))
	for n, d := range all {
		list[n] = answerDefinition(d)
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// createDefinition makes a new one (7.1.3).
func (g *Gateway) createDefinition(w http.ResponseWriter, r *http.Request) error {
	a, err := g.byToken(r)
	if err != nil {
		return err
	}
	change, err := readDefinition(w, r, a)
	if err != nil {
		return err
	}
	if err := g.Signing.CreateDefinition(r.Context(), a, change); err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, struct{}{})
	return nil
}

func readDefinition(w http.ResponseWriter, r *http.Request, a *account.Account) (esign.Change, error) {
	var change esign.Change
	sent, err := web.ReadObject(w, r)
	if err != nil {
		return change, err
	}
	change.Signatures, err = readFields(a, sent, change.Set)
	return change, err
}

// ofDefinition returns the account, and the definition that the path names.
func (g *Gateway) ofDefinition(r *http.Request) (*account.Account, esign.Identifier, error) {
	a, err := g.byToken(r)
	if err != nil {
		return nil, "", err
	}
	id, err := documentOf(r)
	return a, id, err
}

// definition answers one (7.1.7).
func (g *Gateway) definition(w http.ResponseWriter, r *http.Request) error {
	a, id, err := g.ofDefinition(r)
	if err != nil {
		return err
	}
	d, err := g.Signing.Definition(r.Context(), a, id)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answerDefinition(d))
	return nil
}

// updateDefinition changes one (7.1.4).
func (g *Gateway) updateDefinition(w http.ResponseWriter, r *http.Request) error {
	a, id, err := g.ofDefinition(r)
	if err != nil {
		return err
	}
	change, err := readDefinition(w, r, a)
	if err != nil {
		return err
	}
	if err := g.Signing.UpdateDefinition(r.Context(), a, id, change); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

// deleteDefinition removes one (7.1.5). Its body says nothing, and is not read.
func (g *Gateway) deleteDefinition(w http.ResponseWriter, r *http.Request) error {
	a, id, err := g.ofDefinition(r)
	if err != nil {
		return err
	}
	if err := g.Signing.DeleteDefinition(r.Context(), a, id); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, struct{}{})
	return nil
}

// uploadDefault stores the default file of a definition (7.1.8).
func (g *Gateway) uploadDefault(w http.ResponseWriter, r *http.Request) error {
	a, id, err := g.ofDefinition(r)
	if err != nil {
		return err
	}
	body, err := upload(w, r)
	if err != nil {
		return err
	}
	if err := g.Signing.PutDefault(r.Context(), a, id, body); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// downloadDefault hands it back (7.1.9).
func (g *Gateway) downloadDefault(w http.ResponseWriter, r *http.Request) error {
	a, id, err := g.ofDefinition(r)
	if err != nil {
		return err
	}
	c, err := g.Signing.Default(r.Context(), a, id)
	if err != nil {
		return err
	}
	return g.sendFile(w, r, fileName(id, c.MIMEType), c)
}
