"""What AWS does and moto does not show, as rules for the translated template.

Each test names the document of AWS, or the public thread, that its rule rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.translated import NEEDED, Deployment, translated
from tools.local_stack.template import parsed

ROOT = Path(__file__).parents[2]
GIVEN = {"WorkerNetwork": "given", "WorkerVpcId": "vpc-1", "WorkerSubnetIds": "subnet-1,subnet-2"}
NETWORKS: Mapping[str, dict[str, str]] = {
    "own": {},
    "own with NAT": {"WorkerNatGateway": "yes"},
    "given": GIVEN,
}
in_every_network = pytest.mark.parametrize("network", NETWORKS)


def api_document(**parameters: str) -> dict[str, Any]:
    """The OpenAPI document that API Gateway imports."""
    document: dict[str, Any] = Deployment(**parameters).properties("HttpApi")["Body"]
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every route of the API as ``METHOD /path``, with what the document says of it."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            yield f"{name} {path}", operation


def texts(value: Any) -> Iterator[str]:
    """Every text within a value."""
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from texts(part)
        case list():
            for part in value:
                yield from texts(part)


# --- the first deployment ----------------------------------------------------------------------------


def test_a_failed_first_deployment_leaves_nothing_in_the_way_of_the_second() -> None:
    """CloudFormation, "DeletionPolicy attribute": Retain keeps what a failed create made.

    RetainExceptOnCreate keeps it in every other case. A bucket that is left makes the next try fail, because
    its name is fixed.
    """
    templates = (translated(), issuer())
    resources = [spec for template in templates for spec in template["Resources"].values()]
    kept = [spec for spec in resources if spec.get("UpdateReplacePolicy") == "Retain"]
    assert {spec["Type"].rpartition("::")[2] for spec in kept} >= {"Table", "Bucket", "UserPool"}
    assert {spec["DeletionPolicy"] for spec in kept} == {"RetainExceptOnCreate"}
    # AND what is simply retained can have many versions beside each other
    retained = {spec["Type"] for spec in resources if spec.get("DeletionPolicy") == "Retain"}
    assert retained == {"AWS::Lambda::LayerVersion"}


def test_a_wrong_issuer_fails_the_deployment_and_does_not_open_the_api() -> None:
    """API Gateway, "ImportApi": without failOnWarnings an import goes on without what it could not read.

    A wrong issuer then drops the authorizer with its routes (github.com/aws/aws-sam-cli/issues/2410).
    """
    assert Deployment().properties("HttpApi")["FailOnWarnings"] is True


def test_every_security_scheme_that_a_route_names_is_there() -> None:
    """OpenAPI 3.0.3, "Security Requirement Object": each name must be one of the declared schemes.

    A name that is not is a warning of the import, which fails it here. SAM writes ``NONE`` for open routes
    if the API has a default authorizer.
    """
    document = api_document()
    schemes = set(document["components"]["securitySchemes"])
    named = [name for _, one in operations(document) for need in one.get("security", []) for name in need]
    assert len(named) > 10
    assert set(named) == schemes == {"TokenAuthorizer"}


def test_parameters_that_may_be_left_out_have_a_type_that_allows_it() -> None:
    """CloudFormation, "AWS-specific parameter types": a value must exist in the account, so "" is refused."""
    for name, spec in parsed()["Parameters"].items():
        if spec.get("Default") == "":
            assert not spec["Type"].startswith(("AWS::", "List<AWS::")), name


def test_a_given_network_must_be_named() -> None:
    """CloudFormation, "Rules": assertions are checked before anything is created."""
    (rule,) = translated()["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "WorkerNetwork"}, "given"]}
    asked = {text for one in rule["Assertions"] for text in texts(one["Assert"])}
    assert {"WorkerVpcId", "WorkerSubnetIds"} <= asked


def test_the_quota_for_gpus_is_told_where_an_instance_type_is_chosen() -> None:
    """EC2, "Amazon EC2 instance type quotas": Running On-Demand G and VT instances starts at 0 for many."""
    told = parsed()["Parameters"]["WorkerInstanceType"]["Description"]
    assert "Running On-Demand G and VT instances" in told
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert "L-DB2E81BA" in page
    # AND so is the role that the first cluster of an account needs
    assert "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com" in page


# --- browsers ----------------------------------------------------------------------------------------


def test_a_preflight_passes_without_a_token() -> None:
    """API Gateway, "Configure CORS for HTTP APIs": a route that takes every method takes OPTIONS, too.

    With an authorizer it answers preflights with 401. The page's remedy is ``OPTIONS /{proxy+}`` without one.
    """
    routes = dict(operations(api_document()))
    greedy = "{proxy+}"
    assert "security" in routes[f"ANY /{greedy}"]
    assert "security" not in routes[f"OPTIONS /{greedy}"]
    assert [name for name in routes if name.startswith("OPTIONS")] == [f"OPTIONS /{greedy}"]


@pytest.mark.parametrize("given", ["https://a.example", "https://a.example,http://localhost:3000"])
def test_lists_stay_lists_wherever_sam_translates(given: str) -> None:
    """github.com/aws/aws-sam-cli/issues/4026: a Ref of a CommaDelimitedList is a string in local translation.

    Where AWS translates it is a list. A string that CloudFormation splits is a list in both cases, but SAM
    keeps the other CORS properties beside a function only if all of them are within one.
    """
    document = api_document(AllowedOrigins=given, JwtAudience=given)
    cors = document["x-amazon-apigateway-cors"]
    assert cors["allowOrigins"] == given.split(",")
    assert cors["allowMethods"] == ["GET", "POST", "DELETE"]
    assert "allowCredentials" not in cors
    assert {"allowHeaders", "exposeHeaders", "maxAge"} <= set(cors)
    (scheme,) = document["components"]["securitySchemes"].values()
    configuration = scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"]
    assert configuration == {"issuer": NEEDED["JwtIssuer"], "audience": given.split(",")}
    (rule,) = Deployment(AllowedOrigins=given).properties("MediaBucket")["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == given.split(",")


def test_without_an_origin_no_browser_is_let_in() -> None:
    """CloudFormation, "AWS::NoValue": the property is left out."""
    assert "x-amazon-apigateway-cors" not in api_document(AllowedOrigins="")
    assert "CorsConfiguration" not in Deployment(AllowedOrigins="").properties("MediaBucket")


# --- the workers' network ----------------------------------------------------------------------------


def routes_to(deployment: Deployment, subnet: str) -> dict[str, Any]:
    """The default route of a subnet of the stack."""
    (table,) = (
        one["RouteTableId"]
        for one in deployment.of_type("AWS::EC2::SubnetRouteTableAssociation").values()
        if one["SubnetId"] == subnet
    )
    (route,) = (one for one in deployment.of_type("AWS::EC2::Route").values() if one["RouteTableId"] == table)
    return route


@in_every_network
def test_a_task_reaches_aws(network: str) -> None:
    """ECS, "Allocate a network interface for an Amazon ECS task": on EC2 it gets no public address.

    So a task with ``awsvpc`` needs a private subnet with a NAT gateway. In ``bridge`` mode it goes out by the
    public address of its instance.
    """
    deployment = Deployment(**NETWORKS[network])
    subnets = deployment.properties("VideoWorkerInstances")["VPCZoneIdentifier"]
    service = deployment.properties("VideoWorkerService")
    mode = deployment.properties("VideoWorkerTaskDefinition")["NetworkMode"]
    assert ("NetworkConfiguration" in service) is (mode == "awsvpc")
    if network == "given":
        assert (mode, subnets) == ("awsvpc", ["subnet-1", "subnet-2"])
        return
    public = {name: one["MapPublicIpOnLaunch"] for name, one in deployment.of_type("AWS::EC2::Subnet").items()
              if "MapPublicIpOnLaunch" in one}  # fmt: skip
    for subnet in subnets:
        if mode == "awsvpc":
            assert "NatGatewayId" in routes_to(deployment, subnet)
        else:
            assert ("GatewayId" in routes_to(deployment, subnet), public[subnet]) == (True, True)
    if mode == "awsvpc":
        assert service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"] == subnets
        (nat,) = deployment.of_type("AWS::EC2::NatGateway").values()
        assert "GatewayId" in routes_to(deployment, nat["SubnetId"])
        assert not any(public.values())


@pytest.mark.parametrize("network", ["own", "own with NAT"])
def test_an_own_network_has_two_zones_and_free_ways_to_s3_and_dynamodb(network: str) -> None:
    """VPC, "Gateway endpoints": for S3 and DynamoDB, without charge, by the route tables that they name."""
    deployment = Deployment(**NETWORKS[network])
    subnets = deployment.properties("VideoWorkerInstances")["VPCZoneIdentifier"]
    zones = {deployment.properties(subnet)["AvailabilityZone"] for subnet in subnets}
    assert len(zones) == 2
    endpoints = deployment.of_type("AWS::EC2::VPCEndpoint").values()
    services = {one["ServiceName"].rpartition(".")[2] for one in endpoints}
    assert services == {"s3", "dynamodb"}
    tables = {routes_to(deployment, subnet)["RouteTableId"] for subnet in subnets}
    assert all(set(one["RouteTableIds"]) == tables for one in endpoints)
    vpcs = {one["VpcId"] for one in [*endpoints, deployment.properties("VideoWorkerSecurityGroup")]}
    assert vpcs == {"WorkerVpc"}


@in_every_network
def test_only_an_own_network_is_made(network: str) -> None:
    """EC2, "Elastic IP addresses" and VPC, "NAT gateway pricing": both cost every hour, used or not."""
    deployment = Deployment(**NETWORKS[network])
    kinds = {spec["Type"] for spec in deployment.resources.values()}
    assert ("AWS::EC2::VPC" in kinds) is (network != "given")
    assert kinds & {"AWS::EC2::NatGateway", "AWS::EC2::EIP"} == (
        {"AWS::EC2::NatGateway", "AWS::EC2::EIP"} if network == "own with NAT" else set()
    )


def test_machines_are_deleted_before_their_gateway_is_detached() -> None:
    """VPC, "Detach an internet gateway": not while the VPC has instances with public addresses."""
    deployment = Deployment()
    for subnet in deployment.properties("VideoWorkerInstances")["VPCZoneIdentifier"]:
        assert deployment.resources[subnet]["DependsOn"] == "WorkerInternetGatewayAttachment"


@in_every_network
def test_a_task_cannot_take_the_role_of_its_instance(network: str) -> None:
    """ECS, "Task IAM role": tasks in bridge mode reach the instance's metadata unless the hop limit is 1.

    For awsvpc, ECS_AWSVPC_BLOCK_IMDS stops them. Amazon Linux 2023 sets a limit of 2 where none is given.
    """
    launch = Deployment(**NETWORKS[network]).properties("VideoWorkerLaunchTemplate")["LaunchTemplateData"]
    assert launch["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    assert "ECS_AWSVPC_BLOCK_IMDS=true" in launch["UserData"]


# --- functions ---------------------------------------------------------------------------------------


def event_sources(**parameters: str) -> dict[str, dict[str, Any]]:
    return Deployment(**parameters).of_type("AWS::Lambda::EventSourceMapping")


def test_events_leave_concurrency_to_the_api() -> None:
    """Lambda, "Configuring maximum concurrency for Amazon SQS event sources": at least 2, of one pool."""
    for given, most in ((None, 5), ("2", 2)):
        sources = event_sources(**({} if given is None else {"EventConcurrency": given}))
        queues = [one for one in sources.values() if "Queue.Arn" in one["EventSourceArn"]]
        assert len(queues) == 4
        limits = [int(one["ScalingConfig"]["MaximumConcurrency"]) for one in queues]
        assert all(2 <= limit <= most for limit in limits)
    # AND with the least, all events together leave some to the API even where the quota is 10, except while
    # jobs fail so often that their dead letters use their share as well
    functions = len(sources) - len(queues) + 1  # one reader of each stream, and the schedule
    assert sum(limits[1:]) + functions < 10


def test_concurrency_is_reserved_for_the_api_only_where_that_is_asked_for() -> None:
    """Lambda, "Configuring reserved concurrency": it is taken from the account, which must keep some."""
    name = "ReservedConcurrentExecutions"
    assert name not in Deployment().properties("VideoApiFunction")
    reserving = Deployment(ApiReservedConcurrency="50").of_type("AWS::Lambda::Function")
    assert {function: one[name] for function, one in reserving.items() if name in one} == {
        "VideoApiFunction": "50"
    }


def test_a_stream_has_two_readers_at_most() -> None:
    """DynamoDB, "Change data capture for DynamoDB Streams": a third reader of a shard is throttled."""
    arns = [one["EventSourceArn"] for one in event_sources().values()]
    streams = [arn for arn in arns if arn.endswith(".StreamArn")]
    assert streams
    assert max(map(streams.count, streams)) <= 2


def test_a_message_stays_hidden_until_its_function_has_surely_ended() -> None:
    """Lambda, "Using Lambda with Amazon SQS": a visibility timeout of six times the function's timeout."""
    deployment = Deployment()
    for source in event_sources().values():
        if source["EventSourceArn"].endswith("Queue.Arn"):
            queue = deployment.properties(source["EventSourceArn"].partition(".")[0])
            function = deployment.properties(source["FunctionName"])
            assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


# --- the issuer --------------------------------------------------------------------------------------


def issuer() -> dict[str, Any]:
    return parsed(ROOT / "deploy" / "issuer.yaml")


def test_the_issuer_needs_no_other_stack() -> None:
    """CloudFormation, "Fn::ImportValue": stacks that refer to each other cannot be created or deleted."""
    names = {"Fn::ImportValue", "AWS::CloudFormation::Stack"}
    for template in (issuer(), parsed()):
        assert names & {*texts(template), *_keys(template)} == set()
    needed = [name for name, spec in issuer()["Parameters"].items() if "Default" not in spec]
    assert needed == ["DomainPrefix"]


def test_the_api_takes_what_the_issuer_gives() -> None:
    """API Gateway, "Control access to HTTP APIs with JWT authorizers": ``aud`` counts, or else ``client_id``.

    Cognito's access tokens have no ``aud``, so the audiences are the ids of its clients.
    """
    outputs = issuer()["Outputs"]
    assert {"JwtIssuer", "JwtAudience"} <= set(parsed()["Parameters"]) & set(outputs)
    assert outputs["JwtIssuer"]["Value"] == {"Fn::GetAtt": ["Users", "ProviderURL"]}
    both, one = {"Fn::Sub": "${UserClient},${MachineClient}"}, {"Ref": "UserClient"}
    assert outputs["JwtAudience"]["Value"] == {"Fn::If": ["MachinesLogIn", both, one]}


def test_a_machine_has_a_secret_and_a_scope_and_a_page_has_none() -> None:
    """Cognito, "Scopes, M2M, and resource servers": client credentials need a secret and a custom scope."""
    resources = issuer()["Resources"]
    machine, user = (resources[name]["Properties"] for name in ("MachineClient", "UserClient"))
    (scope,) = machine["AllowedOAuthScopes"]
    server = resources["Api"]["Properties"]
    assert scope == f"{server['Identifier']}/{server['Scopes'][0]['ScopeName']}"
    assert (machine["GenerateSecret"], machine["AllowedOAuthFlows"]) == (True, ["client_credentials"])
    assert resources["MachineClient"]["DependsOn"] == "Api"
    assert (user["GenerateSecret"], user["AllowedOAuthFlows"]) == (False, ["code"])
    assert resources["Users"]["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from _keys(part)
