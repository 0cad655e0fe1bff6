// Opens the API description of this gateway in Swagger UI.
window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
  filter: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
});
